import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Catalogue, SubscriptionStates, type CompiledSubscription } from '@quittance/catalog';
import { encodeSubscriptionState, Topics, type SubscriptionMove } from '@quittance/contracts';
import { KafkaPublisher, KafkaStrategy } from '@quittance/kafka';
import { LOGGER } from '@quittance/service';
import type { Logger } from 'pino';

const LOOK_EVERY_MS = 500;

/**
 * Says when the old home of a subscription that is being moved has nothing of it left: once everything below the fence
 * that control has set there is committed. Repeated until it is read back, so it may get lost.
 */
@Injectable()
export class MoveWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  /** By a move's id: `performance.now()` of when its old home was first seen drained. */
  private drainedAt = new Map<string, number>();
  private looking: Promise<void> | undefined;

  constructor(
    private readonly catalogue: Catalogue,
    private readonly states: SubscriptionStates,
    @Inject(KafkaStrategy) private readonly strategy: Pick<KafkaStrategy, 'committedOffset'>,
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publish'>,
    private readonly topics: Topics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.looking ??= this.look()
        .catch((error: unknown) =>
          this.logger.warn({ err: error }, 'The end of a move could not be told; trying again.'),
        )
        .finally(() => {
          this.looking = undefined;
        });
    }, LOOK_EVERY_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async look(): Promise<void> {
    if (!this.states.ready || !this.catalogue.ready) return;
    const drainedAt = new Map<string, number>();
    for (const subscription of this.catalogue.allSubscriptions()) {
      const { move } = subscription.resource.status;
      if (move?.fence === undefined || !this.isDrained(move.from, move.fence)) continue;
      const since = this.drainedAt.get(move.id) ?? performance.now();
      drainedAt.set(move.id, since);
      // What the last records of the old home have taught was saved before: it has to be read back, and is written again.
      if (this.states.confirmedAt >= since) await this.tell(subscription, move);
    }
    this.drainedAt = drainedAt;
  }

  private isDrained(partition: number, fence: string): boolean {
    const committed = this.strategy.committedOffset(
      this.topics.group('dispatcher'),
      this.topics.deliveries,
      partition,
    );
    return committed !== undefined && committed >= BigInt(fence);
  }

  private async tell({ resource }: CompiledSubscription, move: SubscriptionMove): Promise<void> {
    const state = this.states.of(resource);
    if (state?.drained === move.id) return;
    const { namespace, name, uid } = resource.metadata;
    await this.publisher.publish(
      encodeSubscriptionState(this.topics.subscriptionState, {
        ...state,
        namespace,
        subscription: name,
        uid,
        activation: state?.activation ?? resource.status.activation,
        at: Date.now(),
        drained: move.id,
      }),
    );
    this.logger.info({ namespace, subscription: name, move: move.id }, 'The old home is drained.');
  }
}
