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

describe("a namespace's egress rules", () => {
  it('keep its deliveries from other hosts and ports, from the moment that they were put', async () => {
    const client = quittance.client();
    await client.putEventType('order.completed');
    await client.putSubscription('hook', {
      events: ['order.completed'],
      destination: { webhook: { url: receiver.url } },
      delivery: { retry: { schedule: [] } },
    });
    const attempt = async (): Promise<string | undefined> => {
      const { id } = await client.publish({ type: 'order.completed', data: {} });
      const story = await storyOf(client, id, (each) => allIn('dead')(each) || allIn('delivered')(each));
      return story.deliveries[0]!.attempts[0]!.error?.message;
    };
    expect(await attempt()).toBeUndefined();

    await client.putNamespace({ egress: { hostSuffixes: ['example.com'] } });
    expect(await attempt()).toContain('host "127.0.0.1"');
    await client.putNamespace({ egress: { ports: [443] } });
    expect(await attempt()).toContain(`port ${receiver.port}`);
    expect(receiver.requests).toHaveLength(1);

    await client.putNamespace({ egress: { ports: [receiver.port] } });
    expect(await attempt()).toBeUndefined();
    expect(receiver.requests).toHaveLength(2);
  });
});
