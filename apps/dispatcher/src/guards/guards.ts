import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, SubscriptionStates, type CompiledSubscription } from '@quittance/catalog';
import { NotStartedError } from '@quittance/kafka';
import { LOGGER, Metrics } from '@quittance/service';
import type { Logger } from 'pino';
import { Guard, type GuardSettings } from './guard.js';
import { Learnt } from './learnt.js';
import { StateKeeper } from './state-keeper.js';

export const GUARD_SETTINGS = Symbol('GUARD_SETTINGS');

const POLL_MS = 10;

/** The guards of the subscriptions whose homes this process owns, one per subscription, home and assignment. */
@Injectable()
export class Guards {
  private readonly guards = new Map<string, Guard | Promise<Guard>>();
  private readonly overs = new Map<string, AbortSignal>();

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

  /**
   * @param over of the assignment: when it aborts the guard is forgotten
   * @throws NotStartedError when it aborts before the guard has learnt what the owner before knew
   */
  of(subscription: CompiledSubscription, partition: number, over: AbortSignal): Guard | Promise<Guard> {
    const key = `${partition}/${subscription.resource.metadata.uid}`;
    const known = this.guards.get(key);
    if (known && this.overs.get(key) === over) {
      if (known instanceof Guard) known.refresh(subscription);
      return known;
    }
    const made = this.make(key, subscription, partition, over);
    this.guards.set(key, made);
    this.overs.set(key, over);
    made.catch(() => undefined);
    over.addEventListener('abort', () => this.forget(key, over), { once: true });
    return made;
  }

  private async make(
    key: string,
    subscription: CompiledSubscription,
    partition: number,
    over: AbortSignal,
  ): Promise<Guard> {
    // The owner before wrote what it knew before it gave the partition up: what is read from now on has it.
    const since = performance.now();
    while (!this.states.ready || this.states.confirmedAt < since) {
      if (over.aborted) throw new NotStartedError('The delivery has not begun.');
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    if (over.aborted) throw new NotStartedError('The delivery has not begun.');
    const { resource } = subscription;
    const { namespace, name, uid } = resource.metadata;
    const learnt = new Learnt(this.settings, resource, this.states.of(resource));
    const guard: Guard = new Guard(
      subscription,
      learnt,
      this.settings,
      {
        isShared: () => this.catalogue.subscriptionsAt(partition).size > 1,
        isMovingIn: () => this.isMovingIn(guard.subscription, partition),
        onLook: () => {
          const present = this.catalogue.subscription(namespace, name);
          if (present?.resource.metadata.uid === uid) guard.refresh(present);
        },
        onLearnt: () => void this.save(guard),
      },
      over,
    );
    if (this.overs.get(key) === over) this.guards.set(key, guard);
    return guard;
  }

  /** Resolves when what the guard knows is acknowledged by Kafka. Says so in the log when its subscription was stopped. */
  async save(guard: Guard): Promise<void> {
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
      resource.spec.delivery.ordering === 'strict' &&
      this.states.of(resource)?.drained !== move.id
    );
  }

  private forget(key: string, over: AbortSignal): void {
    if (this.overs.get(key) !== over) return;
    this.guards.delete(key);
    this.overs.delete(key);
  }

  private count(set: (state: string, count: number) => void): void {
    const counts: Record<string, number> = { closed: 0, open: 0, suspended: 0, disabled: 0 };
    for (const guard of this.guards.values()) {
      if (!(guard instanceof Guard)) continue;
      const { stopped, breaker } = guard.learnt;
      const state = stopped?.kind ?? (breaker.opened ? 'open' : 'closed');
      counts[state] = (counts[state] ?? 0) + 1;
    }
    for (const [state, count] of Object.entries(counts)) set(state, count);
  }
}
