import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerText } from '@quittance/contracts';
import { KafkaClient, readTopic } from '@quittance/kafka';
import { createReceiver, startServices, type Receiver, type TestInstallation } from '@quittance/testing';
import { allIn, storyOf } from './stories.js';

let quittance: TestInstallation;
const receivers: Receiver[] = [];

beforeAll(async () => {
  // The last step is one that only a `Retry-After` of two seconds needs.
  quittance = await startServices({ ladder: '200ms,400ms,800ms,2s' });
});
afterAll(async () => {
  await Promise.all(receivers.map((receiver) => receiver.close()));
  await quittance.stopAll();
});

async function subscribed(spec: Record<string, unknown>, respond: Parameters<typeof createReceiver>[0]) {
  const receiver = await createReceiver(respond);
  receivers.push(receiver);
  const client = quittance.client();
  await client.putEventType('order.completed');
  await client.putSubscription('billing', {
    events: ['order.completed'],
    destination: { webhook: { url: receiver.url, timeout: '500ms' } },
    ...spec,
  });
  const key = await client.putApiKey('checkout');
  const publish = () => client.publish({ type: 'order.completed', data: { total: 1 } }, { key });
  return { client, receiver, publish };
}

describe('a subscriber that fails twice, then succeeds', () => {
  it('gets exactly three requests with one webhook-id, and the story tells each attempt in order', async () => {
    const { client, receiver, publish } = await subscribed(
      {},
      { respond: (_request, index) => (index < 2 ? { status: 500, body: 'out of order' } : 200) },
    );
    const { id } = await publish();
    const story = await storyOf(client, id, allIn('delivered'));
    expect(receiver.requests).toHaveLength(3);
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(receiver.requests.map(({ body }) => body.toString())).size).toBe(1);
    const { attempts } = story.deliveries[0]!;
    expect(attempts.map(({ number, status, error }) => [number, status, error?.code ?? null])).toEqual([
      [1, 500, 'http_status'],
      [2, 500, 'http_status'],
      [3, 200, null],
    ]);
    expect(attempts[0]!.response).toBe('out of order');
    const [first, second, third] = receiver.requests;
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(195);
    expect(third!.at - second!.at).toBeGreaterThanOrEqual(395);
  });
});

describe('a subscriber that always fails', () => {
  it('ends in the dead-letter topic after its schedule, with the reason and the bytes, and can be retried by hand', async () => {
    const { client, receiver, publish } = await subscribed(
      { delivery: { retry: { schedule: ['200ms', '200ms'] } } },
      { respond: () => 503 },
    );
    const { id } = await publish();
    const story = await storyOf(client, id, allIn('dead'));
    expect(receiver.requests).toHaveLength(3);
    expect(story.deliveries[0]!.attempts.map(({ status }) => status)).toEqual([503, 503, 503]);

    const kafka = new KafkaClient({ brokers: [quittance.kafkaBrokers], clientId: 'test' });
    const letters = await readTopic(kafka, `${quittance.topicPrefix}deliveries.dlq.v1`);
    const letter = letters.find(({ headers }) => headerText(headers, 'quittance-event-id') === id)!;
    expect(letter.value).toEqual(receiver.requests[0]!.body);
    expect(headerText(letter.headers, 'quittance-dead-code')).toBe('attempts_exhausted');
    expect(headerText(letter.headers, 'quittance-dead-reason')).toContain('503');

    receiver.respondWith(() => 200);
    const retry = await client.request(
      'POST',
      client.auditUrl(`deliveries/${story.deliveries[0]!.id}/retry`),
    );
    expect(retry.status).toBe(202);
    const after = await storyOf(client, id, allIn('delivered'));
    expect(after.deliveries).toHaveLength(1);
    expect(after.deliveries[0]!.attempts).toHaveLength(4);
    expect(receiver.requests.at(-1)!.headers['webhook-id']).toBe(receiver.requests[0]!.headers['webhook-id']);
  });
});

describe('the answers in the story', () => {
  it('are kept to 8 KiB of a failure and 256 bytes of a success', async () => {
    const { client, publish } = await subscribed(
      {},
      {
        respond: (_request, index) =>
          index === 0
            ? { status: 500, body: 'x'.repeat(100_000) }
            : { status: 200, body: 'y'.repeat(100_000) },
      },
    );
    const { id } = await publish();
    const story = await storyOf(client, id, allIn('delivered'));
    const [failure, success] = story.deliveries[0]!.attempts;
    expect(failure!.response).toBe('x'.repeat(8 * 1024));
    expect(success!.response).toBe('y'.repeat(256));
  });
});

describe('a subscriber that does not answer in time', () => {
  it('is told apart from one that refuses', async () => {
    const { client, receiver, publish } = await subscribed(
      { delivery: { retry: { schedule: [] } } },
      { respond: () => 'hang' },
    );
    const slow = await publish();
    const slowStory = await storyOf(client, slow.id, allIn('dead'));
    expect(slowStory.deliveries[0]!.attempts[0]).toMatchObject({ status: null, error: { code: 'timeout' } });
    expect(slowStory.deliveries[0]!.attempts[0]!.durationMs).toBeGreaterThanOrEqual(490);

    await receiver.close();
    const refused = await publish();
    const refusedStory = await storyOf(client, refused.id, allIn('dead'));
    expect(refusedStory.deliveries[0]!.attempts[0]).toMatchObject({
      status: null,
      error: { code: 'connection_refused' },
    });
  });

  it('waits at least as long as Retry-After asks for, however much earlier its schedule says', async () => {
    const { client, receiver, publish } = await subscribed(
      { delivery: { retry: { schedule: ['200ms', '200ms'] } } },
      {
        respond: (_request, index) => (index === 0 ? { status: 429, headers: { 'retry-after': '2' } } : 200),
      },
    );
    const { id } = await publish();
    const story = await storyOf(client, id, allIn('delivered'));
    expect(story.deliveries[0]!.attempts.map(({ number, status }) => [number, status])).toEqual([
      [1, 429],
      [2, 200],
    ]);
    expect(receiver.requests[1]!.at - receiver.requests[0]!.at).toBeGreaterThanOrEqual(1_990);
  });
});
