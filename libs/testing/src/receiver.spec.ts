import { afterEach, describe, expect, it } from 'vitest';
import { createReceiver, type Receiver } from './receiver.js';

let receiver: Receiver;

afterEach(() => receiver.close());

const post = (body: string) => fetch(receiver.url, { method: 'POST', body, headers: { 'x-a': 'b' } });

describe('the receiver', () => {
  it('records requests exactly and answers as told', async () => {
    receiver = await createReceiver({
      respond: (_request, index) =>
        index === 0 ? 500 : { status: 201, headers: { 'x-c': 'd' }, body: 'made' },
    });
    const [first, second] = [await post('é'), await post('two')];
    expect([first.status, second.status, second.headers.get('x-c')]).toEqual([500, 201, 'd']);
    expect(await second.text()).toBe('made');
    const requests = await receiver.waitFor(2);
    expect(requests.map(({ method, path, body }) => [method, path, body.toString()])).toEqual([
      ['POST', '/hook', 'é'],
      ['POST', '/hook', 'two'],
    ]);
    expect(requests[0]?.headers['x-a']).toBe('b');
  });

  it('cuts connections, and says in vain for what a test waited', async () => {
    receiver = await createReceiver({ respond: () => 'reset' });
    await expect(post('x')).rejects.toThrow('fetch failed');
    await expect(receiver.waitFor(2, { timeoutMs: 50 })).rejects.toThrow(
      `Waited 50 ms in vain for 2 requests at ${receiver.url}.`,
    );
  });
});
