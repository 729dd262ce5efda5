import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  waitUntil,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';

const SUBSCRIPTIONS = 8;
const WINDOW_SPAN = 50;

let quittance: TestInstallation;
let receiver: Receiver;

beforeAll(async () => {
  quittance = await startServices({ env: { QUITTANCE_WINDOW_SPAN: String(WINDOW_SPAN) } });
  receiver = await createReceiver();
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

/** How many partitions of the consumers a dispatcher holds, as its readiness tells. */
async function partitionsOf(managementUrl: string): Promise<number> {
  const response = await fetch(`${managementUrl}/readyz`);
  return Number(/(\d+) partitions/.exec(await response.text())?.[1] ?? 0);
}

describe('dispatchers that join and leave in good order while events flow', () => {
  it('deliver every event to every subscription, and repeat no more than was in flight', async () => {
    const client = quittance.client();
    await client.putEventType('order.completed');
    for (let n = 0; n < SUBSCRIPTIONS; n++) {
      await client.putSubscription(`s${n}`, {
        events: ['order.completed'],
        destination: { webhook: { url: `${receiver.url}/s${n}` } },
      });
    }
    const key = await client.putApiKey('checkout');
    let published = 0;
    let isFlowing = true;
    const flow = (async () => {
      for (; isFlowing; published++)
        await client.publish({ type: 'order.completed', data: { published } }, { key });
    })();
    const goesOn = async (what: string): Promise<void> => {
      const before = receiver.requests.length;
      await waitUntil(() => receiver.requests.length >= before + 20 * SUBSCRIPTIONS, {
        what: `deliveries ${what}`,
      });
    };
    await goesOn('at first');
    let rebalances = 0;
    for (const round of ['first', 'second']) {
      const guest = await quittance.addInstance('dispatcher');
      await waitUntil(async () => (await partitionsOf(guest.managementUrl)) > 0, {
        what: 'the guest to own partitions',
      });
      await goesOn(`with the ${round} guest`);
      await guest.stop();
      rebalances += 2;
      await goesOn(`after the ${round} guest has left`);
    }
    isFlowing = false;
    await flow;
    const owed = published * SUBSCRIPTIONS;
    const distinct = (): number =>
      new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size;
    await waitUntil(() => distinct() === owed, { what: `all ${owed} deliveries` });
    expect(receiver.requests.length - owed).toBeLessThanOrEqual(rebalances * SUBSCRIPTIONS * WINDOW_SPAN);
    process.stdout.write(
      `${owed} deliveries, ${receiver.requests.length - owed} repeated over ${rebalances} rebalances\n`,
    );
  });
});
