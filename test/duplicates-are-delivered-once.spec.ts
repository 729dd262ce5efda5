import { createReceiver, startServices, type Receiver, type TestInstallation } from '@quittance/testing';
import { Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allIn, storyOf } from './stories.js';

const COPIES = 1000;
const CONNECTIONS = 32;

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

describe(`${COPIES} copies of one event, posted at once over ${CONNECTIONS} connections`, () => {
  it('are all accepted, and delivered once', async () => {
    const client = quittance.client();
    await client.putEventType('order.completed');
    await client.putSubscription('billing', {
      events: ['order.completed'],
      destination: { webhook: { url: receiver.url } },
    });
    const key = await client.putApiKey('checkout');
    const pool = new Pool(quittance.ingest.url, { connections: CONNECTIONS });
    const event = {
      specversion: '1.0',
      id: 'order-7',
      source: '/checkout',
      type: 'order.completed',
      data: { total: 1 },
    };
    const post = async (): Promise<number> => {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: '/v1/events',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify(event),
      });
      await body.dump();
      return statusCode;
    };
    const statuses = await Promise.all(Array.from({ length: COPIES }, post));
    await pool.close();
    expect(new Set(statuses)).toEqual(new Set([202]));

    const story = await storyOf(client, 'order-7', ({ duplicates }) => duplicates === COPIES - 1);
    expect(allIn('delivered')(await storyOf(client, 'order-7', allIn('delivered')))).toBe(true);
    expect(story.deliveries).toHaveLength(1);
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([story.deliveries[0]?.id]);
  });
});
