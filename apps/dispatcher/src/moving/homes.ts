import type { CompiledSubscription } from '@quittance/catalog';

/**
 * Whether a record of this partition belongs to the subscription's present home. What is left in an old home is sent on;
 * only in strict order it is delivered from there, before the new home begins.
 */
export function isToBeForwarded({ resource }: CompiledSubscription, partition: number): boolean {
  const { partition: home, move } = resource.status;
  if (partition === home) return false;
  return resource.spec.delivery.ordering !== 'strict' || move?.from !== partition;
}
