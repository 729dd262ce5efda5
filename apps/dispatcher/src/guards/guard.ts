import type { CompiledSubscription } from '@quittance/catalog';
import type { DeliveryRecord } from '@quittance/contracts';
import { NotStartedError, type RecordContext } from '@quittance/kafka';
import type { Admission, Ending, Shunt, Turn } from './admission.js';
import type { Learnt, LearningSettings, Stopped } from './learnt.js';
import { Pacer } from './pacer.js';
import { isProbeOf } from './probe.js';
import { Shunting } from './shunting.js';
import { dueSuspension, haltedSince, isStrict } from './suspension.js';
import { WaitingLine } from './waiting-line.js';

export interface GuardSettings extends LearningSettings {
  holdSharedMs: number;
  holdExclusiveMs: number;
}

export interface GuardHost {
  /** Whether others have their home on the same partition, and must not wait for this one. */
  isShared(): boolean;
  /** The subscription as it is now; `undefined`: it was deleted, or its records belong to another partition. */
  present(): CompiledSubscription | undefined;
  /** Something was learnt without a record whose finish would wait for its being saved. */
  onLearnt(): void;
}

/** The assignment that a guard lives under. */
export type Assignment = Pick<RecordContext, 'over' | 'isCurrent'>;

const LOOK_UP_MS = 250;

/**
 * Decides when a subscription's records may be sent: its order, rate, concurrency, breaker, and whether it is stopped.
 * State of this process only: one dispatcher owns a home partition at a time. Lives as long as the
 * assignment, and no longer than its subscription has its home here.
 */
export class Guard {
  private static made = 0;
  private readonly line = new WaitingLine();
  private active = 0;
  /** With strict order: the record that all others wait for. */
  private holder: bigint | undefined;
  private throttledUntil = 0;
  private era = 0;
  /** When the last probe was over, by `performance.now()`. */
  private probedAt = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  /** What the log was told of last. */
  toldOf: Stopped | undefined;
  /** Of this guard among all that the process ever had. */
  readonly number = ++Guard.made;
  private readonly pacer = new Pacer();
  private readonly shunting = new Shunting();
  private readonly onOver = (): void => this.end();

  constructor(
    public subscription: CompiledSubscription,
    readonly learnt: Learnt,
    private readonly settings: GuardSettings,
    private readonly host: GuardHost,
    readonly assignment: Assignment,
  ) {
    assignment.over.addEventListener('abort', this.onOver, { once: true });
  }

  get isIdle(): boolean {
    return this.active === 0 && this.line.size === 0;
  }

  /** What it learns counts: it owns its partition, and its subscription's records belong there. */
  get isCurrent(): boolean {
    return this.assignment.isCurrent() && this.host.present() !== undefined;
  }

  get isStrict(): boolean {
    return isStrict(this.subscription);
  }

  /** The resource as it is now: limits, pause and resumption take effect at once. */
  refresh(subscription: CompiledSubscription): void {
    const before = this.subscription.resource;
    if (subscription.resource === before) return;
    this.subscription = subscription;
    const { status, spec } = subscription.resource;
    if (status.activation > this.learnt.activation) {
      this.learnt.resumed(status.activation);
      this.beginEra();
    } else if (spec.destination.webhook.url !== before.spec.destination.webhook.url) {
      this.learnt.destinationChanged();
      this.beginEra();
      this.host.onLearnt();
    }
    if (spec.delivery.ordering !== before.spec.delivery.ordering) this.dissolve();
    else if (!this.isIdle) this.pump();
  }

  /** What an earlier request brings stops and delays nothing any more. */
  private beginEra(): void {
    this.era++;
    this.throttledUntil = 0;
  }

  /**
   * First come, first served.
   * @param place which record it is, with strict order: the one that holds the turn comes before all that wait
   * @throws NotStartedError when the assignment is over
   */
  admit(delivery: DeliveryRecord, place?: bigint): Admission | Promise<Admission> {
    if (this.assignment.over.aborted) throw notStarted();
    const now = Date.now();
    const blockMs = this.blockMs(delivery, place, now);
    const { stopped } = this.learnt;
    if (stopped) return this.ofStopped(stopped, delivery, now);
    const isHolder = place !== undefined && this.holder === place;
    if (blockMs === 0 && (isHolder || this.line.size === 0) && this.hasRoom()) return this.begin(now);
    if (this.mayShunt()) {
      const shunt = this.shunt(blockMs, delivery, now);
      if (shunt) return shunt;
    }
    const admission = this.line.join(delivery, place, isHolder);
    this.look(blockMs);
    return admission;
  }

  /** Others do not wait for it; and what is in strict order is not overtaken. */
  private mayShunt(): boolean {
    return this.host.isShared() && !this.isStrict;
  }

  /** With strict order: nobody else is admitted before `letGo`, however often this one is tried. */
  holdFor(place: bigint): void {
    this.holder = place;
  }

  letGo(place: bigint): void {
    if (this.holder !== place) return;
    this.holder = undefined;
    if (this.line.size > 0) this.pump();
  }

  /**
   * The attempt is over.
   * @returns whether what was learnt has to be saved before the record is finished
   */
  settle(turn: Turn, ending: Ending): boolean {
    this.active--;
    const now = Date.now();
    let mustSave: boolean;
    if (ending.verdict === 'aborted') {
      this.learnt.breaker.abandoned(turn.epoch);
      // That it is out was saved when it began.
      mustSave = turn.isProbe;
    } else {
      this.shunting.measured(ending.durationMs);
      mustSave = this.learn(turn, ending, now);
      if (turn.isProbe) this.probedAt = performance.now();
    }
    if (this.line.size > 0) this.catchUp();
    return mustSave;
  }

  private learn(turn: Turn, ending: Exclude<Ending, { verdict: 'aborted' }>, now: number): boolean {
    const { learnt } = this;
    if (ending.verdict === 'success') {
      // Any other request began before the subscriber asked for time.
      if (turn.isProbe) this.throttledUntil = 0;
      return learnt.succeeded(turn.epoch, now);
    }
    let mustSave = learnt.failed(ending.failure, turn.epoch, now);
    if (turn.era !== this.era) return mustSave;
    if (ending.verdict === 'gone') return learnt.gone(now) || mustSave;
    if (ending.retryAfterMs !== undefined) {
      const longest = this.settings.breaker.longestPauseMs;
      this.throttledUntil = Math.max(this.throttledUntil, now + Math.min(ending.retryAfterMs, longest));
    }
    if (this.suspendIfDue(now)) mustSave = true;
    return mustSave;
  }

  /** How long nothing may be sent: infinite until something else happens. Finds out, too, whether it is to be suspended. */
  private blockMs({ deliveryId }: DeliveryRecord, place: bigint | undefined, now: number): number {
    const { learnt, subscription } = this;
    const isHeldUp = subscription.resource.spec.paused || haltedSince(subscription, learnt) !== undefined;
    const byBreaker = learnt.breaker.waitMs(now);
    if ((isHeldUp || byBreaker > 0) && this.suspendIfDue(now)) this.host.onLearnt();
    if (isHeldUp || (this.holder !== undefined && this.holder !== place)) return Infinity;
    const { head } = learnt;
    const byHead = head?.deliveryId === deliveryId && this.isStrict ? head.dueAt - now : 0;
    return Math.max(byBreaker, this.throttledUntil - now, byHead, 0);
  }

  private suspendIfDue(now: number): boolean {
    const { learnt, subscription, settings } = this;
    if (learnt.stopped) return false;
    const holdMs =
      subscription.holdMs ?? (this.host.isShared() ? settings.holdSharedMs : settings.holdExclusiveMs);
    const due = dueSuspension(subscription, learnt, holdMs, now);
    return due !== undefined && learnt.suspend(due.code, due.reason, now);
  }

  /** A subscription that could not be reached is tried with what is sent again from the ledger. */
  private ofStopped(stopped: Stopped, delivery: DeliveryRecord, now: number): Admission {
    const { breaker } = this.learnt;
    const { paused } = this.subscription.resource.spec;
    // Not the breaker's whole pause, which may be longer than it takes until the next one is sent to find out.
    const isRested = performance.now() - this.probedAt >= this.settings.breaker.firstPauseMs;
    const mayTry = stopped.code === 'unreachable' && isProbeOf(delivery) && !paused && isRested;
    if (!mayTry || breaker.isProbing || !this.hasRoom()) {
      return { kind: 'stopped', stopped };
    }
    this.active++;
    breaker.begin(this.answerBy(now));
    return { kind: 'go', isProbe: true, epoch: breaker.epoch, era: this.era };
  }

  private hasRoom(): boolean {
    return this.hasConnection() && this.paceMs() === 0;
  }

  private hasConnection(): boolean {
    const { concurrency } = this.subscription.resource.spec.delivery;
    return this.active < (this.isStrict ? 1 : concurrency);
  }

  /** Not by the time of day, which may be set back: nothing would be sent until that is caught up. */
  private paceMs(): number {
    return this.subscription.resource.spec.delivery.rateLimit ? this.pacer.waitMs(performance.now()) : 0;
  }

  private begin(now: number): Turn {
    const { rateLimit } = this.subscription.resource.spec.delivery;
    if (rateLimit) this.pacer.take(rateLimit.rate, performance.now());
    if (this.active === 0 && this.line.size === 0) this.shunting.idle();
    this.active++;
    const { breaker } = this.learnt;
    const isProbe = breaker.begin(this.answerBy(now));
    return { kind: 'go', isProbe, epoch: breaker.epoch, era: this.era };
  }

  /** Every URL of it may take the whole timeout. */
  private answerBy(now: number): number {
    const { fallbackUrls } = this.subscription.resource.spec.destination.webhook;
    return now + this.subscription.timeoutMs * (1 + fallbackUrls.length);
  }

  /** @returns nothing when the record may wait here */
  private shunt(blockMs: number, delivery: DeliveryRecord, now: number): Shunt | undefined {
    const { shunting, subscription } = this;
    if (blockMs > 0) return shunting.blocked(subscription, this.learnt, blockMs, now);
    return shunting.crowded(subscription, this.line.size, delivery, now);
  }

  private pump(): void {
    const { line, learnt } = this;
    while (line.size > 0) {
      const now = Date.now();
      const { delivery, place } = line.first;
      const blockMs = this.blockMs(delivery, place, now);
      let admission: Admission | undefined;
      if (learnt.stopped) admission = this.ofStopped(learnt.stopped, delivery, now);
      else if (blockMs === 0 && this.hasRoom()) admission = this.begin(now);
      else if (blockMs > 0 && this.mayShunt()) admission = this.shunt(blockMs, delivery, now);
      if (!admission) {
        if (this.mayShunt()) this.shunting.shorten(line, this.subscription, now);
        this.look(blockMs);
        return;
      }
      line.admitFirst(admission);
    }
  }

  /** Looks again when something may have changed that nobody tells: time has passed, the resource was changed. */
  private look(blockMs: number): void {
    if (this.timer || this.line.size === 0 || this.assignment.over.aborted) return;
    // The next one that ends lets the next one go.
    if (blockMs === 0 && !this.hasConnection()) return;
    // Its turn may have come since it was found to have to wait.
    const waitMs = Math.max(1, blockMs > 0 ? blockMs : this.paceMs());
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.catchUp();
      },
      Math.ceil(Math.min(waitMs, LOOK_UP_MS)),
    );
  }

  /** A guard whose records wait hears of changes in no other way. */
  private catchUp(): void {
    const present = this.host.present();
    if (!present) {
      this.dissolve();
      return;
    }
    this.refresh(present);
    this.pump();
  }

  /** What waits finds out anew what it needs. */
  private dissolve(): void {
    this.holder = undefined;
    this.line.admitAll({ kind: 'anew' });
  }

  /** The guard is needed no more, and nothing is under way. */
  close(): void {
    this.assignment.over.removeEventListener('abort', this.onOver);
    this.end();
  }

  private end(): void {
    clearTimeout(this.timer);
    this.line.refuseAll(notStarted);
  }
}

function notStarted(): NotStartedError {
  return new NotStartedError('The delivery has not begun.');
}
