import { Pool, type Dispatcher } from 'undici';
import { monotonicMs } from './clock.ts';
import {
  NO_ANSWER,
  NOT_SENT,
  type GeneratorReply,
  type GeneratorRequest,
  type LoadPlan,
  type SendRecord,
} from './messages.ts';
import { cloudEvent, plainEvent } from './payload.ts';
import { serveParent } from './worker.ts';

const ANSWER_TIMEOUT_MS = 30_000;
/** Timers come up to 1.5 ms late: below this distance the rest of the wait is slept instead, to the microsecond. */
const TIMER_ERROR_MS = 1.5;
/** Requests that come closer together than this are not worth a sleep, which would hold up reading answers. */
const EXACT_FROM_MS = 4;
const GIVE_UP_CHECK_MS = 100;

let pool: Pool | undefined;
let poolFor = '';

/** Connections are kept between runs, as a publisher would. */
async function poolOf({ origin, outstanding }: LoadPlan): Promise<Pool> {
  const key = `${origin} ${outstanding}`;
  if (!pool || poolFor !== key) {
    await pool?.close();
    pool = new Pool(origin, {
      connections: outstanding,
      pipelining: 1,
      keepAliveTimeout: 60_000,
      headersTimeout: ANSWER_TIMEOUT_MS,
      bodyTimeout: ANSWER_TIMEOUT_MS,
    });
    poolFor = key;
  }
  return pool;
}

/** Sends on schedule, whatever becomes of the requests before: an open loop. */
class LoadRun {
  private readonly plan: LoadPlan;
  private readonly pool: Pool;
  private readonly record: SendRecord;
  private readonly requests: number;
  private readonly intervalMs: number;
  private readonly headers: string[];
  private readonly sleeper = new Int32Array(new SharedArrayBuffer(4));
  private next = 0;
  private underWay = 0;
  private heldUpTo = 0;
  private isHeldBack = false;
  private timer: NodeJS.Timeout | undefined;
  private finish: () => void = () => undefined;

  constructor(plan: LoadPlan, pool: Pool) {
    this.plan = plan;
    this.pool = pool;
    this.requests = Math.ceil(plan.events / plan.batch);
    this.intervalMs = (plan.batch / plan.rate) * 1000;
    this.record = {
      status: new Int16Array(plan.events).fill(NOT_SENT),
      dueAt: Float64Array.from({ length: plan.events }, (_, event) => this.dueAt(event / plan.batch)),
      sentAt: new Float64Array(plan.events),
      answeredAt: new Float64Array(plan.events),
      heldBack: 0,
      longestQueue: 0,
      errors: {},
    };
    this.headers = [
      'content-type',
      plan.batch > 1 ? 'application/cloudevents-batch+json' : 'application/json',
      ...(plan.authorization === undefined ? [] : ['authorization', plan.authorization]),
    ];
  }

  run(): Promise<SendRecord> {
    return new Promise((resolve) => {
      this.finish = () => resolve(this.record);
      this.pace();
    });
  }

  private dueAt(request: number): number {
    return this.plan.startAt + Math.floor(request) * this.intervalMs;
  }

  /** Sends what is due, and comes back when the next one is; held back by the bound, when an answer makes room. */
  private readonly pace = (): void => {
    clearTimeout(this.timer);
    this.isHeldBack = !this.sendDue();
    if (this.next >= this.requests) {
      if (this.underWay === 0) this.finish();
      return;
    }
    if (this.isHeldBack) {
      this.timer = setTimeout(this.pace, GIVE_UP_CHECK_MS);
      return;
    }
    const wait = Math.max(0, this.dueAt(this.next) - monotonicMs());
    if (this.intervalMs < EXACT_FROM_MS) this.timer = setTimeout(this.pace, wait);
    else if (wait > TIMER_ERROR_MS) this.timer = setTimeout(this.pace, wait - TIMER_ERROR_MS);
    else {
      Atomics.wait(this.sleeper, 0, 0, wait);
      setImmediate(this.pace);
    }
  };

  /** @returns false when the bound holds back what is due */
  private sendDue(): boolean {
    const now = monotonicMs();
    const { outstanding, giveUpAfterMs } = this.plan;
    if (now > this.dueAt(this.requests - 1) + giveUpAfterMs) this.next = this.requests;
    while (this.next < this.requests && this.dueAt(this.next) <= now) {
      if (this.underWay >= outstanding) {
        this.noteQueue(now);
        return false;
      }
      this.send(this.next++);
    }
    return true;
  }

  private noteQueue(now: number): void {
    const due = Math.min(this.requests, Math.floor((now - this.plan.startAt) / this.intervalMs) + 1);
    this.record.heldBack += Math.max(0, due - Math.max(this.heldUpTo, this.next));
    this.heldUpTo = Math.max(this.heldUpTo, due);
    this.record.longestQueue = Math.max(this.record.longestQueue, due - this.next);
  }

  private send(request: number): void {
    const first = request * this.plan.batch;
    const end = Math.min(first + this.plan.batch, this.plan.events);
    const body = this.bodyOf(first, end);
    this.underWay++;
    this.record.sentAt.fill(monotonicMs(), first, end);
    this.record.status.fill(NO_ANSWER, first, end);
    this.pool.dispatch(
      { path: this.plan.path, method: 'POST', headers: this.headers, body },
      this.handler(first, end),
    );
  }

  private bodyOf(first: number, end: number): string {
    const { batch, bodyBytes, eventType, firstEvent, idPrefix } = this.plan;
    const events: string[] = [];
    for (let index = first; index < end; index++) {
      const n = firstEvent + index;
      const scheduledAt = this.record.dueAt[index] ?? 0;
      const event = { id: `${idPrefix}-${n}`, type: eventType, n, scheduledAt };
      events.push(batch > 1 ? cloudEvent(event, bodyBytes) : plainEvent(event, bodyBytes));
    }
    return batch > 1 ? `[${events.join(',')}]` : (events[0] ?? '');
  }

  private handler(first: number, end: number): Dispatcher.DispatchHandler {
    const done = (): void => {
      this.underWay--;
      if (this.isHeldBack || this.next >= this.requests) this.pace();
    };
    return {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status) => {
        this.record.answeredAt.fill(monotonicMs(), first, end);
        this.record.status.fill(status, first, end);
      },
      onResponseData: () => undefined,
      onResponseEnd: done,
      onResponseError: (_controller, error) => {
        const code = 'code' in error ? String(error.code) : error.name;
        this.record.errors[code] = (this.record.errors[code] ?? 0) + 1;
        this.record.status.fill(NO_ANSWER, first, end);
        done();
      },
    };
  }
}

serveParent<GeneratorRequest, GeneratorReply>(async ({ plan }) => ({
  type: 'sent',
  record: await new LoadRun(plan, await poolOf(plan)).run(),
}));
