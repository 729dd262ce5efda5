import { isDeepStrictEqual } from 'node:util';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Catalogue, SubscriptionStates, type CompiledSubscription } from '@quittance/catalog';
import type { SubscriptionResource } from '@quittance/contracts';
import { NotStartedError } from '@quittance/kafka';
import { LOGGER, Metrics } from '@quittance/service';
import type { Logger } from 'pino';
import { isToBeForwarded } from '../moving/homes.js';
import { Guard, type Assignment, type GuardSettings } from './guard.js';
import { Learnt } from './learnt.js';
import { StateKeeper } from './state-keeper.js';
import { isStrict } from './suspension.js';

export const GUARD_SETTINGS = Symbol('GUARD_SETTINGS');

const POLL_MS = 10;
const SWEEP_EVERY_MS = 10_000;

/** A guard, or its making, under one assignment. */
interface Entry {
  readonly key: string;
  readonly partition: number;
  readonly over: AbortSignal;
  /** The move during which it was made, and how it was ordered then. */
  readonly move: string | undefined;
  readonly onOver: () => void;
  guard: Guard | Promise<Guard>;
}

/** The guards of the subscriptions whose homes this process owns, one per subscription, home and assignment. */
@Injectable()
export class Guards implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly entries = new Map<string, Entry>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly catalogue: Catalogue,
    private readonly states: SubscriptionStates,
    private readonly keeper: StateKeeper,
    @Inject(GUARD_SETTINGS) private readonly settings: GuardSettings,
    @Inject(LOGGER) private readonly logger: Logger,
    metrics: Metrics,
  ) {
    metrics.gauge(
      'quittance_guarded_subscriptions',
      'Subscriptions that this process sends to, by what their guard lets through.',
      ['state'],
      (gauge) => this.count((state, count) => gauge.set({ state }, count)),
    );
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.sweep(), SWEEP_EVERY_MS).unref();
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /**
   * @param assignment of the partition: when it is over the guard is forgotten
   * @throws NotStartedError when it is over before the guard has learnt what the owner before knew
   */
  of(subscription: CompiledSubscription, partition: number, assignment: Assignment): Guard | Promise<Guard> {
    const key = `${partition}/${subscription.resource.metadata.uid}`;
    const known = this.entries.get(key);
    if (known?.over === assignment.over && !isOutdated(known, subscription)) {
      if (known.guard instanceof Guard) known.guard.refresh(subscription);
      return known.guard;
    }
    if (assignment.over.aborted) throw new NotStartedError('The delivery has not begun.');
    if (known) this.forget(known);
    return this.open(key, subscription, partition, assignment);
  }

  private open(
    key: string,
    subscription: CompiledSubscription,
    partition: number,
    assignment: Assignment,
  ): Promise<Guard> {
    const { over } = assignment;
    const made = this.make(subscription, partition, assignment);
    const entry: Entry = {
      key,
      partition,
      over,
      move: moveOf(subscription.resource),
      onOver: () => this.forget(entry),
      guard: made,
    };
    this.entries.set(key, entry);
    over.addEventListener('abort', entry.onOver, { once: true });
    void made.then(
      (guard) => (entry.guard = guard),
      () => this.forget(entry),
    );
    return made;
  }

  private async make(
    subscription: CompiledSubscription,
    partition: number,
    assignment: Assignment,
  ): Promise<Guard> {
    const present = await this.caughtUp(subscription, partition, assignment.over);
    const guard: Guard = new Guard(
      present,
      new Learnt(this.settings, present.resource, this.states.of(present.resource)),
      this.settings,
      {
        isShared: () => this.catalogue.subscriptionsAt(partition).size > 1,
        present: () => this.present(present, partition),
        onLearnt: () => void this.save(guard),
      },
      assignment,
    );
    return guard;
  }

  /**
   * Resolves when what is read of the subscription's state is what the owner before has left: it was written before the
   * partition was given up. With strict order, too, what its old home has left, where it is delivered until that is drained.
   */
  private async caughtUp(
    subscription: CompiledSubscription,
    partition: number,
    over: AbortSignal,
  ): Promise<CompiledSubscription> {
    for (let since = performance.now(); ;) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (over.aborted) throw new NotStartedError('The delivery has not begun.');
      const present = this.present(subscription, partition);
      if (present && this.isMovingIn(present, partition)) since = performance.now();
      else if (this.states.ready && this.states.confirmedAt >= since) return present ?? subscription;
    }
  }

  /** @returns `undefined` when it was deleted, or its records belong to another partition by now */
  private present({ resource }: CompiledSubscription, partition: number): CompiledSubscription | undefined {
    const { namespace, name, uid } = resource.metadata;
    const present = this.catalogue.subscription(namespace, name);
    if (present?.resource.metadata.uid !== uid || isToBeForwarded(present, partition)) return undefined;
    return present;
  }

  /** Resolves when what the guard knows is acknowledged by Kafka. Says so in the log when its subscription was stopped. */
  async save(guard: Guard): Promise<void> {
    // The new home has a guard of its own by now; and a subscription of the same name that was made since, its own state.
    if (!guard.isCurrent) return;
    const { stopped } = guard.learnt;
    await this.keeper.save(guard);
    if (stopped && stopped !== guard.toldOf) {
      guard.toldOf = stopped;
      const { namespace, name } = guard.subscription.resource.metadata;
      this.logger.warn({ namespace, subscription: name, ...stopped }, `The subscription is ${stopped.kind}.`);
    }
  }

  /** Resolves when nothing is being saved: what follows from a stop may be written then. */
  settled(guard: Guard): Promise<void> | undefined {
    return this.keeper.settled(guard);
  }

  private isMovingIn({ resource }: CompiledSubscription, partition: number): boolean {
    const { move, partition: home } = resource.status;
    return (
      move !== undefined &&
      partition === home &&
      isStrict({ resource }) &&
      this.states.of(resource)?.drained !== move.id
    );
  }

  private forget(entry: Entry): void {
    entry.over.removeEventListener('abort', entry.onOver);
    if (this.entries.get(entry.key) === entry) this.entries.delete(entry.key);
  }

  private sweep(): void {
    for (const entry of this.entries.values()) {
      const { guard, partition } = entry;
      if (!(guard instanceof Guard)) continue;
      const present = this.present(guard.subscription, partition);
      if (present) {
        // In strict order the old home counts until the move is over, and may know less than the new one by then.
        const isHome = present.resource.status.partition === partition;
        if (isHome && !isOutdated(entry, present)) this.saveAgain(guard, present);
      } else if (guard.isIdle) {
        // No record comes to it any more.
        this.forget(entry);
        guard.close();
      }
    }
  }

  /** For a moment the owners of two homes may write, and the one that knows less may have been the last. */
  private saveAgain(guard: Guard, present: CompiledSubscription): void {
    guard.refresh(present);
    if (!this.states.ready || this.keeper.settled(guard)) return;
    const { stopped, head } = this.states.of(present.resource) ?? {};
    const { learnt } = guard;
    if (!isDeepStrictEqual([stopped, head], [learnt.stopped, learnt.head])) void this.save(guard);
  }

  private count(set: (state: string, count: number) => void): void {
    const counts: Record<string, number> = { closed: 0, open: 0, suspended: 0, disabled: 0 };
    for (const { guard } of this.entries.values()) {
      if (!(guard instanceof Guard)) continue;
      const { stopped, breaker } = guard.learnt;
      const state = stopped?.kind ?? (breaker.opened ? 'open' : 'closed');
      counts[state] = (counts[state] ?? 0) + 1;
    }
    for (const [state, count] of Object.entries(counts)) set(state, count);
  }
}

/** It came back to a home that it had left, or its order counts now: what this guard knows is from before. */
function isOutdated(entry: Entry, { resource }: CompiledSubscription): boolean {
  const { move, partition: home } = resource.status;
  return move !== undefined && home === entry.partition && moveOf(resource) !== entry.move;
}

function moveOf({ status: { move }, spec }: SubscriptionResource): string | undefined {
  return move && `${move.id} ${spec.delivery.ordering}`;
}
