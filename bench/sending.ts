import { monotonicMs } from './clock.ts';
import type {
  Expectation,
  GeneratorReply,
  GeneratorRequest,
  ReceiverReply,
  ReceiverRequest,
  SendRecord,
} from './messages.ts';
import type { BenchOptions } from './options.ts';
import { EVENT_TYPE } from './payload.ts';
import type { Measured } from './processes.ts';
import type { Target } from './target.ts';
import type { Worker } from './worker.ts';

export type Generator = Worker<GeneratorRequest, GeneratorReply>;
export type Receiving = Worker<ReceiverRequest, ReceiverReply>;

export interface Tools {
  generator: Generator;
  receiver: Receiving;
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

const LEAD_MS = 300;
const GIVE_UP_SENDING_MS = 30_000;

/** Numbers are never used twice, so that a straggler of one load cannot pass for an arrival of the next. */
let nextEvent = 0;
const idPrefix = `b${Date.now().toString(36)}`;

export function eventIdOf(number: number): string {
  return `${idPrefix}-${number}`;
}

/** Gives a load's events their numbers, and tells the receiver to expect each of them at the first `endpoints`. */
export async function expectLoad(
  receiver: Receiving,
  events: number,
  endpoints: number,
): Promise<Expectation> {
  const expectation: Expectation = { firstEvent: nextEvent, events, endpoints };
  nextEvent += events;
  await receiver.ask({ type: 'expect', expectation }, 'expecting');
  return expectation;
}

/** Sends what is expected, on schedule. It resolves when the last request was answered, or given up. */
export async function sendLoad(
  generator: Generator,
  { origin, path, authorization }: Pick<Course, 'origin' | 'path' | 'authorization'>,
  { batch, bodyBytes, outstanding }: Pick<BenchOptions, 'batch' | 'bodyBytes' | 'outstanding'>,
  load: { expectation: Expectation; rate: number; eventType?: string },
): Promise<SendRecord> {
  const { record } = await generator.ask(
    {
      type: 'run',
      plan: {
        origin,
        path,
        ...(authorization !== undefined && { authorization }),
        eventType: load.eventType ?? EVENT_TYPE,
        idPrefix,
        firstEvent: load.expectation.firstEvent,
        events: load.expectation.events,
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
  return record;
}
