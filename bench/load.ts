import { setTimeout as sleep } from 'node:timers/promises';
import { countDelivered, isRecorded } from './api.ts';
import { monotonicMs } from './clock.ts';
import { figuresOf, isSustained, type Figures } from './figures.ts';
import { objections, reconcile, type RunLedger } from './ledger.ts';
import type {
  Arrivals,
  Expectation,
  GeneratorReply,
  GeneratorRequest,
  ReceiverReply,
  ReceiverRequest,
  SendRecord,
} from './messages.ts';
import type { BenchOptions } from './options.ts';
import { ProcessMeter, type Measured } from './processes.ts';
import type { Target } from './target.ts';
import type { Worker } from './worker.ts';

export interface Tools {
  generator: Worker<GeneratorRequest, GeneratorReply>;
  receiver: Worker<ReceiverRequest, ReceiverReply>;
  /** Aborts when the measurement is called off. */
  signal: AbortSignal;
}

/** Where a load goes to, and what shall come of it. */
export interface Course {
  origin: string;
  path: string;
  authorization?: string;
  endpoints: number;
  /** Whose audit ledger must know of every delivery in the end. */
  audited?: { target: Target; namespace: string };
  processes: readonly Measured[];
}

export interface LoadResult {
  figures: Figures;
  ledger: RunLedger;
  errors: Record<string, number>;
  /** Deliveries that audit lists as delivered; missing when it was not asked. */
  recorded?: number;
  sustained: boolean;
  /** Why the figures must not be used. */
  objections: string[];
}

const LEAD_MS = 300;
const GIVE_UP_SENDING_MS = 30_000;
/** What has not moved for so long will not. */
const PATIENCE_MS = 30_000;
const POLL_MS = 50;
/** The last events, and some of all: records of one partition are recorded in order, those of different ones are not. */
const LAST_ASKED = 24;
const SPREAD_ASKED = 8;

/** Numbers are never used twice, so that a straggler of one load cannot pass for an arrival of the next. */
let nextEvent = 0;
const idPrefix = `b${Date.now().toString(36)}`;

/** @param measured whether to make sure that audit lists every single delivery, and not a sample only */
export async function runLoad(
  tools: Tools,
  course: Course,
  options: BenchOptions,
  load: { rate: number; seconds: number; measured: boolean },
): Promise<LoadResult> {
  const { batch, bodyBytes, outstanding } = options;
  const events = Math.max(batch, Math.round(load.rate * load.seconds));
  const expectation: Expectation = { firstEvent: nextEvent, events, endpoints: course.endpoints };
  nextEvent += events;
  await tools.receiver.ask({ type: 'expect', expectation }, 'expecting');

  const from = new Date();
  const meter = await ProcessMeter.start(course.processes);
  const { record } = await tools.generator.ask(
    {
      type: 'run',
      plan: {
        origin: course.origin,
        path: course.path,
        ...(course.authorization !== undefined && { authorization: course.authorization }),
        idPrefix,
        firstEvent: expectation.firstEvent,
        events,
        rate: load.rate,
        startAt: monotonicMs() + LEAD_MS,
        batch,
        bodyBytes,
        outstanding,
        giveUpAfterMs: GIVE_UP_SENDING_MS,
      },
    },
    'sent',
  );
  const { arrivals, ledger } = await untilArrived(tools, expectation, record);
  const audit = await untilRecorded(course, expectation, record, tools.signal);
  const usage = meter.stop();

  const outcome = { rate: load.rate, record, arrivals, ledger, usage, recordedAt: audit?.at ?? Number.NaN };
  let figures = figuresOf(outcome);
  const found = objections(ledger);
  if (audit && Number.isNaN(audit.at)) found.push('the audit ledger did not catch up');
  let recorded: number | undefined;
  if (load.measured && course.audited && audit) {
    const complete = await untilListed(course.audited, from, ledger.owed, tools.signal);
    recorded = complete.recorded;
    if (recorded < ledger.owed) found.push(`audit lists ${recorded} of ${ledger.owed} deliveries`);
    // The sample was complete before the whole was: then the whole counts.
    if (complete.sinceAt !== undefined) figures = figuresOf({ ...outcome, recordedAt: complete.sinceAt });
  }
  if (!course.audited) figures.ledgerLagMs = 0;
  return {
    figures,
    ledger,
    errors: record.errors,
    ...(recorded !== undefined && { recorded }),
    sustained: isSustained(figures, ledger),
    objections: found,
  };
}

async function untilArrived(
  { receiver, signal }: Tools,
  expectation: Expectation,
  record: SendRecord,
): Promise<{ arrivals: Arrivals; ledger: RunLedger }> {
  let seen = -1;
  let movedAt = monotonicMs();
  for (;;) {
    const { distinct } = await receiver.ask({ type: 'progress' }, 'progress');
    if (distinct !== seen) {
      seen = distinct;
      movedAt = monotonicMs();
    }
    const isHopeless = monotonicMs() - movedAt > PATIENCE_MS;
    if (isHopeless || distinct >= expectation.endpoints * acceptedOf(record)) {
      const { arrivals } = await receiver.ask({ type: 'collect' }, 'collected');
      const ledger = reconcile(expectation, record, arrivals);
      if (isHopeless || ledger.lost === 0) return { arrivals, ledger };
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

function acceptedOf({ status }: SendRecord): number {
  return status.reduce((sum, each) => sum + Number(each >= 200 && each < 300), 0);
}

/** Asks for events at the end and all over the load until each is recorded as delivered. */
async function untilRecorded(
  { audited, endpoints }: Course,
  { firstEvent, events }: Expectation,
  { status }: SendRecord,
  signal: AbortSignal,
): Promise<{ at: number } | undefined> {
  if (!audited) return undefined;
  const asked = new Set<number>();
  for (let event = events - 1; event >= 0 && asked.size < LAST_ASKED; event--) {
    if (status[event] === 202) asked.add(event);
  }
  for (let part = 0; part < SPREAD_ASKED; part++) {
    const event = Math.floor((part * events) / SPREAD_ASKED);
    if (status[event] === 202) asked.add(event);
  }
  let movedAt = monotonicMs();
  while (asked.size > 0) {
    for (const event of asked) {
      const id = `${idPrefix}-${firstEvent + event}`;
      if (!(await isRecorded(audited.target, audited.namespace, id, endpoints))) break;
      asked.delete(event);
      movedAt = monotonicMs();
    }
    if (asked.size === 0) break;
    if (monotonicMs() - movedAt > PATIENCE_MS) return { at: Number.NaN };
    await sleep(POLL_MS, undefined, { signal });
  }
  return { at: monotonicMs() };
}

/** @returns `sinceAt`: when the count began that was the first complete one, unless the very first one was */
async function untilListed(
  { target, namespace }: { target: Target; namespace: string },
  from: Date,
  owed: number,
  signal: AbortSignal,
): Promise<{ recorded: number; sinceAt?: number }> {
  let most = 0;
  let movedAt = monotonicMs();
  for (let counts = 0; ; counts++) {
    const sinceAt = monotonicMs();
    const recorded = await countDelivered(target, namespace, from);
    if (recorded >= owed) return counts === 0 ? { recorded } : { recorded, sinceAt };
    if (recorded > most) movedAt = monotonicMs();
    most = Math.max(most, recorded);
    if (monotonicMs() - movedAt > PATIENCE_MS) return { recorded };
    await sleep(POLL_MS, undefined, { signal });
  }
}
