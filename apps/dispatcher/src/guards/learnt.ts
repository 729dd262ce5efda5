import type { HeldCode, SubscriptionResource, SubscriptionState } from '@quittance/contracts';
import { CircuitBreaker, type BreakerSettings } from './circuit-breaker.js';

export type Stopped = NonNullable<SubscriptionState['stopped']>;
export type Head = NonNullable<SubscriptionState['head']>;

export interface LearningSettings {
  breaker: BreakerSettings;
  /** A subscription that has only failed for this long is disabled. */
  disableAfterMs: number;
}

/** A failed attempt, as far as something is learnt from it. */
export interface Failure {
  deliveryId: string;
  code: string;
  message: string;
  status: number | null;
  /** No answer, or one that says that the subscriber is down: it counts for the breaker. */
  isOutage: boolean;
}

/** Failures of less than this are not worth a record; they are lost when the partition changes hands. */
const WORTH_SAVING_MS = 60_000;
const ERROR_SAVED_EVERY_MS = 30_000;

/**
 * What the owner of a subscription's home learns of it. Every method that may change something says whether that has to
 * be saved before the record it was learnt from is finished.
 */
export class Learnt {
  readonly breaker: CircuitBreaker;
  stopped: Stopped | undefined;
  head: Head | undefined;
  activation: number;
  private failingSince: number | undefined;
  private failingSaved = false;
  private lastError: SubscriptionState['lastError'];
  private errorSavedAt = 0;
  private lastSuccessAt: number | undefined;

  /** @param state what the owner before had saved */
  constructor(
    private readonly settings: LearningSettings,
    resource: SubscriptionResource,
    state: SubscriptionState | undefined,
  ) {
    this.activation = resource.status.activation;
    this.breaker = new CircuitBreaker(settings.breaker, state?.breaker);
    this.stopped = state?.stopped;
    this.head = state?.head;
    this.failingSince = state?.failingSince;
    this.failingSaved = state?.failingSince !== undefined;
    this.lastError = state?.lastError;
    this.lastSuccessAt = state?.lastSuccessAt;
  }

  /** Someone resumed the subscription: whatever stopped it counts no more. */
  resumed(activation: number): void {
    this.activation = activation;
    this.stopped = undefined;
    this.head = undefined;
    this.failingSince = undefined;
    this.failingSaved = false;
    this.breaker.reset();
  }

  /** It may be another server now. */
  destinationChanged(): void {
    this.breaker.reset();
  }

  /** @param epoch the breaker's when the request began */
  succeeded(epoch: number, now: number): boolean {
    this.lastSuccessAt = now;
    const wasOpen = this.breaker.answered(epoch);
    const wasSaved = this.failingSaved;
    this.failingSince = undefined;
    this.failingSaved = false;
    const wasUnreachable = this.isFoundAlive(epoch);
    return wasOpen || wasSaved || wasUnreachable;
  }

  failed(failure: Failure, epoch: number, now: number): boolean {
    const { isOutage, ...error } = failure;
    this.lastError = { at: now, ...error };
    this.failingSince ??= now;
    let mustSave: boolean;
    if (isOutage) mustSave = this.breaker.failed(epoch, now);
    else if (failure.status === null) mustSave = this.breaker.showedNothing(epoch, now);
    else {
      mustSave = this.breaker.answered(epoch);
      // A refusal, too, shows that somebody is there: one that is always refused must not keep all others waiting.
      if (this.isFoundAlive(epoch)) mustSave = true;
    }
    const failingMs = now - this.failingSince;
    // Being suspended as unreachable is no end: probes go on failing.
    const mayDisable = !this.stopped || this.stopped.code === 'unreachable';
    if (mayDisable && failingMs >= this.settings.disableAfterMs) {
      const reason = `Every attempt has failed since ${new Date(this.failingSince).toISOString()}; the last: ${failure.message}`;
      this.stopped = { kind: 'disabled', at: now, code: 'failing', reason };
      mustSave = true;
    }
    if (failingMs >= WORTH_SAVING_MS && !this.failingSaved) {
      this.failingSaved = true;
      mustSave = true;
    }
    if (now - this.errorSavedAt >= ERROR_SAVED_EVERY_MS) mustSave = true;
    return mustSave;
  }

  /** Being found alive ends being unreachable. Paused and halted are for a person to end. */
  private isFoundAlive(epoch: number): boolean {
    if (this.stopped?.code !== 'unreachable' || epoch !== this.breaker.epoch) return false;
    this.stopped = undefined;
    return true;
  }

  gone(now: number): boolean {
    if (this.stopped?.kind === 'disabled') return false;
    this.stopped = {
      kind: 'disabled',
      at: now,
      code: 'gone',
      reason: 'The subscriber answered 410: it does not want this any more.',
    };
    return true;
  }

  suspend(code: HeldCode, reason: string, now: number): boolean {
    if (this.stopped) return false;
    this.stopped = { kind: 'suspended', at: now, code, reason };
    return true;
  }

  /** What the last error says, for a sentence. */
  get trouble(): string {
    return this.lastError?.message ?? 'it does not answer';
  }

  /** As it is saved. */
  snapshot(resource: SubscriptionResource, now: number, drained: string | undefined): SubscriptionState {
    const { namespace, name, uid } = resource.metadata;
    this.errorSavedAt = now;
    const failingSince =
      this.failingSince !== undefined && (this.failingSaved || now - this.failingSince >= WORTH_SAVING_MS)
        ? this.failingSince
        : undefined;
    if (failingSince !== undefined) this.failingSaved = true;
    const state: SubscriptionState = {
      namespace,
      subscription: name,
      uid,
      activation: this.activation,
      at: now,
    };
    if (this.stopped) state.stopped = this.stopped;
    if (failingSince !== undefined) state.failingSince = failingSince;
    if (this.lastSuccessAt !== undefined) state.lastSuccessAt = this.lastSuccessAt;
    if (this.lastError) state.lastError = this.lastError;
    if (this.breaker.opened) state.breaker = this.breaker.opened;
    if (this.head) state.head = this.head;
    if (drained !== undefined) state.drained = drained;
    return state;
  }
}
