import { untilArrived } from './following.ts';
import { objections } from './ledger.ts';
import { expectLoad, sendLoad, type Course, type Tools } from './sending.ts';
import type { BenchOptions } from './options.ts';

/** How long events took, in milliseconds, and whether all arrived. */
export interface SteadyLatencies {
  /** To subscribers that share a home partition with the dead one. */
  sharing: number[];
  /** To the others. */
  apart: number[];
  objections: string[];
}

/** Long enough for a p99, short enough for phases to end about when they should. */
const PIECE_SECONDS = 10;

/**
 * Sends at a constant rate to subscribers that answer, in pieces that are each followed to their end, as long as
 * `goesOn` says at the end of a piece.
 * @param sharing which endpoints share a home partition with the dead one
 */
export async function steadyLoad(
  tools: Tools,
  course: Omit<Course, 'processes'>,
  options: BenchOptions,
  load: {
    rate: number;
    sharing: ReadonlySet<number>;
    goesOn: () => boolean;
    /** Called at the end of each piece, with what it alone came to. */
    onPiece: (piece: SteadyLatencies) => void;
  },
): Promise<SteadyLatencies> {
  const found: SteadyLatencies = { sharing: [], apart: [], objections: [] };
  do {
    const events = load.rate * PIECE_SECONDS;
    const expectation = await expectLoad(tools.receiver, events, course.endpoints);
    const record = await sendLoad(tools.generator, course, options, { expectation, rate: load.rate });
    const { arrivals, ledger } = await untilArrived(tools, expectation, record);
    const piece: SteadyLatencies = { sharing: [], apart: [], objections: objections(ledger) };
    for (const [position, at] of arrivals.arrivedAt.entries()) {
      if (at === 0) continue;
      const latency = at - (record.dueAt[position % events] ?? Number.NaN);
      (load.sharing.has(Math.floor(position / events)) ? piece.sharing : piece.apart).push(latency);
    }
    for (const part of ['sharing', 'apart'] as const) for (const each of piece[part]) found[part].push(each);
    found.objections.push(...piece.objections);
    load.onPiece(piece);
  } while (load.goesOn());
  return found;
}
