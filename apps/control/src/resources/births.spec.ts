import { subscriptionSpec, type SubscriptionSpec } from '@quittance/contracts';
import { expect, it } from 'vitest';
import type { VerifierSecrets } from '../sources/verifier-secrets.js';
import type { HomePartitions } from '../subscriptions/home-partitions.js';
import type { SigningSecrets } from '../subscriptions/signing-secrets.js';
import { Births } from './births.js';

function specOf(ordering: 'none' | 'strict'): SubscriptionSpec {
  return subscriptionSpec.parse({
    events: ['order.*'],
    destination: { webhook: { url: 'http://127.0.0.1:9000/' } },
    delivery: { ordering },
  });
}

it('asks for partitions when a subscription is created or becomes strict, and for no other change', async () => {
  const homes = { count: () => Promise.resolve(16), lastKnown: 4 } as unknown as HomePartitions;
  const births = new Births(homes, {} as SigningSecrets, {} as VerifierSecrets);
  const prepare = (before: SubscriptionSpec | undefined, spec: SubscriptionSpec) =>
    births.prepare('Subscription', spec, before);
  expect(await prepare(undefined, specOf('none'))).toEqual({ partitions: 16 });
  expect(await prepare(specOf('none'), specOf('strict'))).toEqual({ partitions: 16 });
  expect(await prepare(specOf('none'), specOf('none'))).toEqual({ partitions: 4 });
  expect(await prepare(specOf('strict'), specOf('strict'))).toEqual({ partitions: 4 });
  expect(await births.prepare('EventType', {}, undefined)).toEqual({});
});
