import { Inject, Injectable } from '@nestjs/common';
import { SubscriptionStates } from '@quittance/catalog';
import { encodeSubscriptionState, Topics } from '@quittance/contracts';
import { KafkaPublisher } from '@quittance/kafka';
import { LOGGER } from '@quittance/service';
import type { Logger } from 'pino';
import type { Guard } from './guard.js';

interface Saving {
  /** The write under way: what was learnt after it began is not in it. */
  running: Promise<void>;
  /** The write after it, if somebody waits for that. */
  next: Promise<void> | undefined;
}

const PAUSE_MS = 500;

/** Writes what guards have learnt to `subscription-state.v1`: one write at a time per subscription, the newest last. */
@Injectable()
export class StateKeeper {
  private readonly savings = new WeakMap<Guard, Saving>();

  constructor(
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publish'>,
    private readonly states: SubscriptionStates,
    private readonly topics: Topics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Resolves when everything that the guard knows now is acknowledged, or for somebody else to know. */
  save(guard: Guard): Promise<void> {
    const saving = this.savings.get(guard);
    if (!saving) {
      const first: Saving = { running: this.write(guard), next: undefined };
      this.savings.set(guard, first);
      void first.running.then(() => this.finished(guard, first));
      return first.running;
    }
    saving.next ??= saving.running.then(() => this.write(guard));
    return saving.next;
  }

  /** Resolves when no write is under way. */
  settled(guard: Guard): Promise<void> | undefined {
    const saving = this.savings.get(guard);
    return saving?.next ?? saving?.running;
  }

  private finished(guard: Guard, saving: Saving): void {
    if (saving.next) {
      const following: Saving = { running: saving.next, next: undefined };
      this.savings.set(guard, following);
      void following.running.then(() => this.finished(guard, following));
    } else this.savings.delete(guard);
  }

  private async write(guard: Guard): Promise<void> {
    // Also while the partition is being given up: what is learnt from the last attempts is for the next owner to know.
    while (guard.isCurrent) {
      const { resource } = guard.subscription;
      // Taken here, not when it was asked for: a write that had to wait carries the newest.
      const state = guard.learnt.snapshot(resource, Date.now(), this.states.of(resource)?.drained);
      try {
        await this.publisher.publish(encodeSubscriptionState(this.topics.subscriptionState, state));
        return;
      } catch (error) {
        this.logger.warn({ err: error }, "A subscription's state could not be saved; trying again.");
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }
}
