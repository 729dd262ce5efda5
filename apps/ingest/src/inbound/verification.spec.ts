import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startIngest, type Ingest } from '../ingest.fixture.js';
import { namespaceOf, sourceOf } from '../resources.fixture.js';
import { nowSeconds, pathOf, SENDERS } from './senders.fixture.js';

let ingest: Ingest;
beforeAll(async () => {
  ingest = await startIngest({
    changes: [
      namespaceOf('shop', { catalog: { policy: 'open' } }),
      ...SENDERS.flatMap(({ name, verify, secret, otherSecret }) => [
        sourceOf(name, { verify }, { verify: [secret] }),
        sourceOf(`${name}-rotating`, { verify }, { verify: [otherSecret, secret] }),
      ]),
      sourceOf('none', { verify: { type: 'none' } }),
      sourceOf('spoilt', { verify: { type: 'github' } }, { verify: ['a-secret-of-it'] }, 'another-uid'),
      sourceOf('secretless', { verify: { type: 'github' } }),
    ],
  });
});
afterAll(() => ingest.close());

const codeOf = ({ status, text }: { status: number; text: string }) => ({
  status,
  code: (JSON.parse(text) as Record<string, unknown>)['code'],
});

describe.each(SENDERS)('$name', (sender) => {
  const { body, headers, secret, otherSecret, sign, signs } = sender;
  const path = pathOf(sender);

  it('what it signs is published as it is', async () => {
    const proof = await sign(body, secret, nowSeconds());
    const { status } = await ingest.send(path, body, { ...headers, ...proof });
    expect(status).toBeLessThan(300);
    const [record] = ingest.kafka.records;
    const [event] = ingest.kafka.take();
    expect(event?.data?.toString()).toBe(body);
    expect(event?.attributes).toEqual({
      id: expect.stringMatching(sender.id),
      source: `/namespaces/shop/sources/${sender.name}`,
      type: sender.type,
      datacontenttype: 'application/json',
      extensions: {},
    });
    expect(record?.key).toBe(`shop/${event?.attributes.id}`);
    expect(record?.spread).toEqual({ group: 'shop', partitions: 3 });
    expect(Object.keys(record?.headers ?? {}).sort()).toEqual([
      'ce_id',
      'ce_source',
      'ce_specversion',
      'ce_type',
      'content-type',
      'quittance-accepted-at',
      'quittance-namespace',
      'quittance-revision',
      'traceparent',
    ]);
  });

  it('either of two secrets counts while one replaces the other', async () => {
    const rotating = path.replace(sender.name, `${sender.name}-rotating`);
    for (const one of [secret, otherSecret]) {
      const proof = await sign(body, one, nowSeconds());
      expect((await ingest.send(rotating, body, { ...headers, ...proof })).status).toBeLessThan(300);
    }
    expect(ingest.kafka.take()).toHaveLength(2);
  });

  it('401 signature_invalid by another secret, which is recorded', async () => {
    ingest.kafka.outcomes.length = 0;
    const proof = await sign(body, otherSecret, nowSeconds());
    const answer = await ingest.send(path, body, { ...headers, ...proof });
    expect(codeOf(answer)).toEqual({ status: 401, code: 'signature_invalid' });
    await vi.waitFor(() => expect(ingest.kafka.outcomes).toHaveLength(1));
    expect(ingest.kafka.outcomes[0]).toMatchObject({
      type: 'rejected',
      namespace: 'shop',
      source: sender.name,
      code: 'signature_invalid',
    });
    expect(ingest.kafka.take()).toEqual([]);
  });

  it('401 signature_missing without each part of the proof', async () => {
    const proof = await sign(body, secret, nowSeconds());
    for (const missing of Object.keys(proof)) {
      const others = Object.fromEntries(Object.entries(proof).filter(([name]) => name !== missing));
      const answer = await ingest.send(path, body, { ...headers, ...others });
      expect(codeOf(answer)).toEqual({ status: 401, code: 'signature_missing' });
    }
    expect(ingest.kafka.take()).toEqual([]);
  });

  it.runIf(signs.body)('401 signature_invalid to a body with one byte changed', async () => {
    const proof = await sign(body, secret, nowSeconds());
    const changed = Buffer.from(body);
    changed[changed.length - 2]! ^= 1;
    const answer = await ingest.send(path, changed, { ...headers, ...proof });
    expect(codeOf(answer)).toEqual({ status: 401, code: 'signature_invalid' });
    expect(ingest.kafka.take()).toEqual([]);
  });

  it.runIf(signs.time)('401 timestamp_out_of_tolerance to an old time, and to one to come', async () => {
    for (const offset of [-310, 310]) {
      const proof = await sign(body, secret, nowSeconds() + offset);
      const answer = await ingest.send(path, body, { ...headers, ...proof });
      expect(codeOf(answer)).toEqual({ status: 401, code: 'timestamp_out_of_tolerance' });
    }
    expect(ingest.kafka.take()).toEqual([]);
  });
});

describe('a source', () => {
  it('that verifies nothing takes what anybody sends', async () => {
    expect((await ingest.send('none/some.type', 'hello', { 'content-type': 'text/plain' })).status).toBe(202);
    expect(ingest.kafka.take()[0]).toMatchObject({
      attributes: { type: 'some.type', datacontenttype: 'text/plain' },
      data: Buffer.from('hello'),
    });
  });

  it('of Slack is answered with 200 and nothing', async () => {
    const { body, headers, secret, sign } = SENDERS.find(({ name }) => name === 'slack')!;
    const proof = await sign(body, secret, nowSeconds());
    const answer = await ingest.send('slack', body, { ...headers, ...proof });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(ingest.kafka.take()).toHaveLength(1);
  });

  it('500 to a source whose secrets cannot be used, without saying why to the sender', async () => {
    for (const name of ['spoilt', 'secretless']) {
      const answer = await ingest.send(`${name}/some.type`, '{}', { 'content-type': 'application/json' });
      expect(codeOf(answer)).toEqual({ status: 500, code: 'internal' });
      expect(answer.text).not.toMatch(/tampered|master key/);
    }
    expect(ingest.kafka.take()).toEqual([]);
  });

  it('says how to authenticate where HTTP has a way', async () => {
    const headerOf = async (path: string) => (await ingest.send(path, '{}')).headers.get('www-authenticate');
    expect(await headerOf('bearer/a')).toBe('Bearer');
    expect(await headerOf('basic/a')).toMatch(/^Basic realm=/);
    expect(await headerOf('github/a')).toBeNull();
  });
});
