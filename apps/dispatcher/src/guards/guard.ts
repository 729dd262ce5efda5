import type { CompiledSubscription } from '@quittance/catalog';
import type { DeliveryRecord, SubscriptionResource } from '@quittance/contracts';
import { NotStartedError } from '@quittance/kafka';
import { Learnt, type Failure, type LearningSettings, type Stopped } from './learnt.js';
import { Pacer } from './pacer.js';
import { RecentAttempts } from './recent-attempts.js';
import { Throughput } from './throughput.js';

/** What is to be done with a record now. */
export type Admission =
  /** Make the attempt, then call `settle` with the same turn. */
  | { kind: 'go'; isProbe: boolean }
  /** Put it off: not before `waitMs`. `blockedMs`: for how long nothing could be sent; missing when it is only too much. */
  | { kind: 'shunt'; waitMs: number; blockedMs?: number }
  | { kind: 'stopped'; stopped: Stopped };

export type Turn = Extract<Admission, { kind: 'go' }>;

/** How an attempt ended, as far as its subscription's guard cares. */
export type Ending =
  | { verdict: 'success'; durationMs: number }
  | { verdict: 'gone'; durationMs: number; failure: Failure }
  | { verdict: 'failed'; durationMs: number; failure: Failure; retryAfterMs?: number | undefined }
  /** There was no attempt. */
  | { verdict: 'aborted' };

export interface GuardSettings extends LearningSettings {
  holdSharedMs: number;
  holdExclusiveMs: number;
}

export interface GuardHost {
  /** Whether others have their home on the same partition, and must not wait for this one. */
  isShared(): boolean;
  /** Whether a move of the home is under way whose old one has to be drained first. */
  isMovingIn(): boolean;
  /** Time to look at the resource again: a guard whose records wait hears of changes in no other way. */
  onLook(): void;
  /** Something was learnt without a record whose finish would wait for its being saved. */
  onLearnt(): void;
}

interface Waiting {
  delivery: DeliveryRecord;
  admitted(admission: Admission): void;
  refused(error: Error): void;
}

/** Longer than this nobody waits at the head of a shared partition, ms: a window of others' records waits with it. */
const LONGEST_SHARED_WAIT_MS = 5000;
const LOOK_UP_MS = 250;

/**
 * Decides when a subscription's records may be sent: its order, rate, concurrency, breaker, and whether it is stopped.
 * State of this process only: one dispatcher owns a home partition at a time. Lives as long as the assignment.
 */
export class Guard {
  private waiting: Waiting[] = [];
  private head = 0;
  private active = 0;
  /** With strict order: the delivery that all others wait for. */
  private holder: string | undefined;
  private throttledUntil = 0;
  private timer: NodeJS.Timeout | undefined;
  /** What the log was told of last. */
  toldOf: Stopped | undefined;
  readonly recent = new RecentAttempts();
  private readonly pacer = new Pacer();
  private readonly throughput = new Throughput();

  constructor(
    public subscription: CompiledSubscription,
    readonly learnt: Learnt,
    private readonly settings: GuardSettings,
    private readonly host: GuardHost,
    readonly over: AbortSignal,
  ) {
    over.addEventListener('abort', () => this.end(), { once: true });
  }

  get isIdle(): boolean {
    return this.active === 0 && this.head === this.waiting.length;
  }

  /** The resource as it is now: limits, pause and resumption take effect at once. */
  refresh(subscription: CompiledSubscription): void {
    const before = this.subscription.resource;
    if (subscription.resource === before) return;
    this.subscription = subscription;
    const { status, spec } = subscription.resource;
    if (status.activation > this.learnt.activation) this.learnt.resumed(status.activation);
    else if (spec.destination.webhook.url !== before.spec.destination.webhook.url) {
      this.learnt.destinationChanged();
    }
    if (!this.isIdle) this.pump();
  }

  /**
   * First come, first served.
   * @param isAgain the record had its turn before, and comes before all that wait: strict order tries it again in place
   * @throws NotStartedError when the assignment is over
   */
  admit(delivery: DeliveryRecord, isAgain = false): Admission | Promise<Admission> {
    if (this.over.aborted) throw new NotStartedError('The delivery has not begun.');
    const now = Date.now();
    const blockMs = this.blockMs(delivery, now);
    const { stopped } = this.learnt;
    if (stopped) return this.ofStopped(stopped, delivery);
    const isFirst = isAgain || this.head === this.waiting.length;
    if (blockMs === 0 && isFirst && this.hasRoom(now)) return this.begin(now);
    if (this.mayShunt()) {
      const shunt = this.shunt(blockMs, delivery, now);
      if (shunt) return shunt;
    }
    return new Promise((admitted, refused) => {
      const entry: Waiting = { delivery, admitted, refused };
      if (isAgain) this.waiting.splice(this.head, 0, entry);
      else this.waiting.push(entry);
      this.look(blockMs, now);
    });
  }

  /** Others do not wait for it; and what is in strict order is not overtaken. */
  private mayShunt(): boolean {
    return this.host.isShared() && this.subscription.resource.spec.delivery.ordering !== 'strict';
  }

  /** With strict order: nobody else is admitted before `letGo`, however often this one is tried. */
  holdFor(deliveryId: string): void {
    this.holder = deliveryId;
  }

  letGo(deliveryId: string): void {
    if (this.holder !== deliveryId) return;
    this.holder = undefined;
    if (this.head < this.waiting.length) this.pump();
  }

  /**
   * The attempt is over.
   * @returns whether what was learnt has to be saved before the record is finished
   */
  settle(turn: Turn, ending: Ending): boolean {
    this.active--;
    const now = Date.now();
    let mustSave = false;
    if (ending.verdict === 'aborted') this.learnt.breaker.abandoned(turn.isProbe);
    else {
      this.throughput.measured(ending.durationMs);
      mustSave = this.learn(turn, ending, now);
    }
    if (this.head < this.waiting.length) this.pump();
    return mustSave;
  }

  private learn(turn: Turn, ending: Exclude<Ending, { verdict: 'aborted' }>, now: number): boolean {
    const { learnt } = this;
    if (ending.verdict === 'success') {
      this.throttledUntil = 0;
      return learnt.succeeded(turn.isProbe, now);
    }
    let mustSave = learnt.failed(ending.failure, turn.isProbe, now);
    if (ending.verdict === 'gone') return learnt.gone(now) || mustSave;
    if (ending.retryAfterMs !== undefined) {
      const longest = this.settings.breaker.longestPauseMs;
      this.throttledUntil = Math.max(this.throttledUntil, now + Math.min(ending.retryAfterMs, longest));
    }
    if (this.suspendIfDue(now)) mustSave = true;
    return mustSave;
  }

  /** How long nothing may be sent: infinite until something else happens. Finds out, too, whether it is to be suspended. */
  private blockMs(delivery: DeliveryRecord, now: number): number {
    if (this.subscription.resource.spec.paused || this.host.isMovingIn() || this.learnt.head?.haltedAt) {
      this.suspendIfDueAndTell(now);
      return Infinity;
    }
    if (this.holder !== undefined && this.holder !== delivery.deliveryId) return Infinity;
    const byBreaker = this.learnt.breaker.waitMs(now);
    if (byBreaker > 0) this.suspendIfDueAndTell(now);
    const { head } = this.learnt;
    const byHead = head && head.deliveryId === delivery.deliveryId ? head.dueAt - now : 0;
    return Math.max(byBreaker, this.throttledUntil - now, byHead, 0);
  }

  private suspendIfDueAndTell(now: number): void {
    if (this.suspendIfDue(now)) this.host.onLearnt();
  }

  private suspendIfDue(now: number): boolean {
    const { learnt, subscription } = this;
    if (learnt.stopped) return false;
    const holdMs =
      subscription.holdMs ??
      (this.host.isShared() ? this.settings.holdSharedMs : this.settings.holdExclusiveMs);
    const pausedAt = pausedSince(subscription.resource);
    if (pausedAt !== undefined && now - pausedAt >= holdMs) {
      return learnt.suspend('paused', 'It was paused by hand.', now);
    }
    const halted = learnt.head?.haltedAt;
    if (halted !== undefined && now - halted >= holdMs) {
      return learnt.suspend('halted', `Its last attempt to deliver ${learnt.head?.deliveryId} failed.`, now);
    }
    const opened = learnt.breaker.opened;
    if (opened && now - opened.since >= holdMs) {
      return learnt.suspend('unreachable', learnt.trouble, now);
    }
    return false;
  }

  /** A subscription that could not be reached is tried with what is sent again from the ledger. */
  private ofStopped(stopped: Stopped, delivery: DeliveryRecord): Admission {
    const mayTry = stopped.code === 'unreachable' && isProbeOf(delivery) && !this.isHeldBack();
    if (!mayTry || this.learnt.breaker.waitMs(Infinity) > 0) return { kind: 'stopped', stopped };
    this.active++;
    this.learnt.breaker.begin();
    return { kind: 'go', isProbe: true };
  }

  private isHeldBack(): boolean {
    return this.subscription.resource.spec.paused || this.host.isMovingIn();
  }

  private hasRoom(now: number): boolean {
    const { concurrency, ordering } = this.subscription.resource.spec.delivery;
    return this.active < (ordering === 'strict' ? 1 : concurrency) && this.paceMs(now) === 0;
  }

  private paceMs(now: number): number {
    return this.subscription.resource.spec.delivery.rateLimit ? this.pacer.waitMs(now) : 0;
  }

  private begin(now: number): Turn {
    const { rateLimit } = this.subscription.resource.spec.delivery;
    if (rateLimit) this.pacer.take(rateLimit.rate, now);
    this.active++;
    return { kind: 'go', isProbe: this.learnt.breaker.begin() };
  }

  /** @returns nothing when the record may wait here */
  private shunt(blockMs: number, delivery: DeliveryRecord, now: number): Admission | undefined {
    if (blockMs > 0) {
      return {
        kind: 'shunt',
        waitMs: Number.isFinite(blockMs) ? blockMs : 0,
        blockedMs: this.blockedMs(now),
      };
    }
    const { concurrency, rateLimit } = this.subscription.resource.spec.delivery;
    const interval = this.throughput.interval(concurrency, rateLimit?.rate);
    const expected = (this.waiting.length - this.head + 1) * interval;
    if (expected <= LONGEST_SHARED_WAIT_MS) return undefined;
    const waitMs = this.throughput.book(interval, (delivery.shunts ?? 0) > 0, now);
    return { kind: 'shunt', waitMs: Math.max(waitMs, expected) };
  }

  /** For how long nothing could be sent. */
  private blockedMs(now: number): number {
    const since = pausedSince(this.subscription.resource) ?? this.learnt.breaker.opened?.since ?? now;
    return Math.max(0, now - since);
  }

  private pump(): void {
    while (this.head < this.waiting.length) {
      const now = Date.now();
      const next = this.waiting[this.head]!;
      const blockMs = this.blockMs(next.delivery, now);
      let admission: Admission | undefined;
      if (this.learnt.stopped) admission = this.ofStopped(this.learnt.stopped, next.delivery);
      else if (blockMs === 0 && this.hasRoom(now)) admission = this.begin(now);
      else if (blockMs > 0 && this.mayShunt()) admission = this.shunt(blockMs, next.delivery, now);
      if (!admission) {
        this.look(blockMs, now);
        return;
      }
      this.head++;
      if (this.head === this.waiting.length) {
        this.waiting = [];
        this.head = 0;
      }
      next.admitted(admission);
    }
  }

  /** Looks again when something may have changed that nobody tells: time has passed, the resource was changed. */
  private look(blockMs: number, now: number): void {
    if (this.timer || this.over.aborted) return;
    const waitMs = blockMs > 0 ? Math.min(blockMs, LOOK_UP_MS) : Math.min(this.paceMs(now), LOOK_UP_MS);
    if (waitMs <= 0) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.host.onLook();
      this.pump();
    }, Math.ceil(waitMs));
  }

  private end(): void {
    clearTimeout(this.timer);
    const { waiting, head } = this;
    this.waiting = [];
    this.head = 0;
    for (let index = head; index < waiting.length; index++) {
      waiting[index]!.refused(new NotStartedError('The delivery has not begun.'));
    }
  }
}

/** Sent on purpose to a subscription that is suspended: to find out whether it can be reached again. */
export function isProbeOf(delivery: DeliveryRecord): boolean {
  return delivery.replay === true || delivery.httpHeaders['quittance-test'] !== undefined;
}

/** @returns epoch milliseconds; `undefined` when it is not paused */
export function pausedSince({ spec, status, metadata }: SubscriptionResource): number | undefined {
  return spec.paused ? (status.pausedAt ?? Date.parse(metadata.updatedAt)) : undefined;
}
