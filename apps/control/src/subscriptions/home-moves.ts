import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, SubscriptionStates } from '@quittance/catalog';
import type { SubscriptionMove, SubscriptionResource, SubscriptionStatus } from '@quittance/contracts';
import { Database, ResourceRow } from '@quittance/persistence';
import { Relay } from '../outbox/relay.js';
import { kindNamed } from '../resources/kinds.js';
import { ResourceRepository } from '../resources/resource.repository.js';
import { ResourceWriter } from '../resources/resource-writer.js';
import { subscriptionPartsOf } from './subscription-row.js';

/** Asks Kafka for the offset that the next record of a partition of `deliveries.v1` will have. */
export type EndOffset = (partition: number) => Promise<bigint>;
export const END_OFFSET = Symbol('END_OFFSET');

/** How long after a move is published somebody may still write to the old home, in ms. */
export const MOVE_SETTLE_MS = Symbol('MOVE_SETTLE_MS');

/** In the audit log: what follows from somebody's move. */
const ACTOR = 'control';

/**
 * Brings moves to their end: once nobody writes to the old home any more, its end is fenced off; once its owner says that
 * nothing is left below the fence, the move is over. Each step may be repeated, by this or another replica.
 */
@Injectable()
export class HomeMoves {
  /** By a move's id: `performance.now()` of when it was first seen on `config.v1`. Clocks of machines are not compared. */
  private readonly seenAt = new Map<string, number>();

  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(SubscriptionStates) private readonly states: SubscriptionStates,
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(ResourceWriter) private readonly writer: ResourceWriter,
    @Inject(Relay) private readonly relay: Relay,
    @Inject(END_OFFSET) private readonly endOffset: EndOffset,
    @Inject(MOVE_SETTLE_MS) private readonly settleMs: number,
  ) {}

  /** @throws StoreError, PublishError, or what Kafka's client throws: to be repeated */
  async advance(): Promise<void> {
    const moving = this.moving();
    this.observe(moving.map(({ move }) => move));
    const steps = await Promise.allSettled(moving.map(({ resource, move }) => this.step(resource, move)));
    if (steps.some((step) => step.status === 'fulfilled' && step.value)) await this.relay.flush();
    // One that fails holds up no other.
    for (const step of steps) if (step.status === 'rejected') throw step.reason;
  }

  private moving(): { resource: SubscriptionResource; move: SubscriptionMove }[] {
    return Array.from(this.catalogue.allSubscriptions()).flatMap(({ resource }) => {
      const { move } = resource.status;
      return move ? [{ resource, move }] : [];
    });
  }

  private observe(moves: readonly SubscriptionMove[]): void {
    const known = new Set(moves.map(({ id }) => id));
    for (const id of this.seenAt.keys()) if (!known.has(id)) this.seenAt.delete(id);
    for (const id of known) if (!this.seenAt.has(id)) this.seenAt.set(id, performance.now());
  }

  /** @returns whether the row was changed */
  private async step(resource: SubscriptionResource, move: SubscriptionMove): Promise<boolean> {
    if (this.states.of(resource)?.drained === move.id) {
      return this.change(resource, move, ({ move: _over, ...status }) => status);
    }
    if (move.fence !== undefined || !this.isSettled(move)) return false;
    const fence = String(await this.endOffset(move.from));
    return this.change(resource, move, (status, current) =>
      current.fence === undefined ? { ...status, move: { ...current, fence } } : undefined,
    );
  }

  /** Routers follow `config.v1` closely, and what they were about to write has failed or arrived by then. */
  private isSettled({ id }: SubscriptionMove): boolean {
    return performance.now() - (this.seenAt.get(id) ?? Infinity) >= this.settleMs;
  }

  /** As long as the move is still under way. @returns whether the row was changed */
  private change(
    { metadata }: SubscriptionResource,
    { id }: SubscriptionMove,
    next: (status: SubscriptionStatus, move: SubscriptionMove) => SubscriptionStatus | undefined,
  ): Promise<boolean> {
    const { namespace, name, uid } = metadata;
    const address = { kind: kindNamed('Subscription'), namespace, name };
    return this.database.transaction(async (manager) => {
      await this.resources.lock(manager, address);
      const row = await this.resources.find(manager, address);
      if (row?.uid !== uid) return false;
      const { status } = subscriptionPartsOf(row);
      const changed = status.move?.id === id ? next(status, status.move) : undefined;
      if (!changed) return false;
      const after = Object.assign(new ResourceRow(), row, { status: changed, updatedAt: new Date() });
      await this.writer.write(manager, { actor: ACTOR, action: 'move', before: row, after });
      return true;
    });
  }
}
