import type { CompiledSubscription } from './subscription.js';

/** Which subscriptions have their home on which partition of `deliveries.v1`; one that is being moved has two. */
export class HomeIndex {
  private readonly homes = new Map<number, Set<CompiledSubscription>>();

  add(subscription: CompiledSubscription): void {
    for (const partition of homesOf(subscription)) {
      const sharers = this.homes.get(partition);
      if (sharers) sharers.add(subscription);
      else this.homes.set(partition, new Set([subscription]));
    }
  }

  remove(subscription: CompiledSubscription): void {
    for (const partition of homesOf(subscription)) {
      const sharers = this.homes.get(partition);
      sharers?.delete(subscription);
      if (sharers?.size === 0) this.homes.delete(partition);
    }
  }

  at(partition: number): ReadonlySet<CompiledSubscription> {
    return this.homes.get(partition) ?? NOBODY;
  }
}

const NOBODY: ReadonlySet<CompiledSubscription> = new Set();

function homesOf({ resource }: CompiledSubscription): number[] {
  const { partition, move } = resource.status;
  return move && move.from !== partition ? [partition, move.from] : [partition];
}
