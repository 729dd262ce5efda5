import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReceiver, startServices, type Receiver, type TestInstallation } from '@quittance/testing';
import { allIn, storyOf } from './stories.js';

let quittance: TestInstallation;
let receiver: Receiver;
beforeAll(async () => {
  quittance = await startServices();
  receiver = await createReceiver();
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

describe('a delivery', () => {
  it('is verified by the official Standard Webhooks client, and carries the data’s bytes as they were published', async () => {
    const client = quittance.client();
    await client.putEventType('order.completed');
    await client.putSubscription('billing', {
      events: ['order.*'],
      destination: { webhook: { url: receiver.url } },
    });
    const key = await client.putApiKey('checkout');
    // Numbers that JavaScript cannot hold, spaces and escapes: whoever parses and writes again changes them.
    const data = '{ "total": 120.50, "id": 12345678901234567890, "note": "caf\\u00e9 \\/ x" }';
    const answer = await client.request('POST', `${quittance.ingest.url}/v1/events`, {
      key,
      body: `{"type": "order.completed", "data": ${data}}`,
    });
    expect(answer.status).toBe(202);
    const { id } = answer.body as { id: string };

    const [request] = await receiver.waitFor(1);
    const body = request!.body.toString();
    expect(body).toContain(`"data":${data}`);
    const secret = await client.secret('billing');
    const verified = new Webhook(secret).verify(body, request!.headers as Record<string, string>) as Record<
      string,
      unknown
    >;
    expect(verified).toMatchObject({ type: 'order.completed', data: { total: 120.5 } });
    expect(request!.headers['content-type']).toBe('application/json');
    expect(() =>
      new Webhook(secret).verify(body.replace('120.50', '1.50'), request!.headers as Record<string, string>),
    ).toThrow(/signature/i);

    const story = await storyOf(client, id, allIn('delivered'));
    expect(story).toMatchObject({
      id,
      type: 'order.completed',
      deliveries: [
        {
          id: request!.headers['webhook-id'],
          subscription: 'billing',
          state: 'delivered',
          attempts: [{ number: 1, status: 204, error: null }],
        },
      ],
    });
  });
});
