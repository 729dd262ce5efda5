import { CloudEvent, emitterFor, HTTP, Mode, type Message } from 'cloudevents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  type ApiClient,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';

let quittance: TestInstallation;
let receiver: Receiver;
let client: ApiClient;
let key: string;

beforeAll(async () => {
  quittance = await startServices();
  receiver = await createReceiver();
  client = quittance.client();
  await client.putEventType('order.completed');
  await client.putSubscription('billing', {
    events: ['order.completed'],
    format: 'cloudevents-binary',
    destination: { webhook: { url: receiver.url } },
  });
  key = await client.putApiKey('checkout');
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

const event = (id: string) =>
  new CloudEvent({
    id,
    source: '/shop/checkout',
    type: 'order.completed',
    subject: 'order-7',
    datacontenttype: 'application/json',
    partitionkey: 'customer-1',
    data: { total: 120.5, id },
  });

async function send(message: Message): Promise<{ status: number; body: unknown }> {
  return client.request('POST', `${quittance.ingest.url}/v1/events`, {
    key,
    headers: message.headers as Record<string, string>,
    body: message.body as string,
  });
}

async function arrived(id: string): Promise<CloudEvent<{ id: string }>> {
  const [request] = await receiver.waitFor(1, {
    matching: ({ headers }) => headers['ce-id'] === id,
    what: `event ${id} to arrive`,
  });
  // The SDK is also the judge of what we send in its binary mode.
  return HTTP.toEvent({ headers: request!.headers, body: request!.body.toString() }) as CloudEvent<{
    id: string;
  }>;
}

describe('the CloudEvents SDK publishes', () => {
  it.each(['binary', 'structured'] as const)('in %s mode', async (mode) => {
    const emit = emitterFor((message) => send(message), {
      mode: mode === 'binary' ? Mode.BINARY : Mode.STRUCTURED,
    });
    const answer = (await emit(event(mode))) as { status: number; body: unknown };
    expect(answer).toMatchObject({
      status: 202,
      body: { id: mode, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    const received = await arrived(mode);
    expect(received).toMatchObject({
      id: mode,
      source: '/shop/checkout',
      type: 'order.completed',
      subject: 'order-7',
      partitionkey: 'customer-1',
      data: { total: 120.5, id: mode },
    });
  });

  it('in batch mode', async () => {
    const events = ['batch-1', 'batch-2', 'batch-3'].map((id) => event(id).toJSON());
    const answer = await send({
      headers: { 'content-type': 'application/cloudevents-batch+json; charset=utf-8' },
      body: JSON.stringify(events),
    });
    expect(answer.status).toBe(202);
    expect((answer.body as { events: { id: string }[] }).events.map(({ id }) => id)).toEqual([
      'batch-1',
      'batch-2',
      'batch-3',
    ]);
    const received = await Promise.all(['batch-1', 'batch-2', 'batch-3'].map(arrived));
    expect(received.map(({ data }) => data?.id)).toEqual(['batch-1', 'batch-2', 'batch-3']);
  });
});
