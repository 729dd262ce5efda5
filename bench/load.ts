import { figuresOf, isSustained, type Figures } from './figures.ts';
import { untilArrived, untilListed, untilRecorded } from './following.ts';
import { objections, type RunLedger } from './ledger.ts';
import type { BenchOptions } from './options.ts';
import { ProcessMeter } from './processes.ts';
import { expectLoad, sendLoad, type Course, type Tools } from './sending.ts';

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

/** @param measured whether to make sure that audit lists every single delivery, and not a sample only */
export async function runLoad(
  tools: Tools,
  course: Course,
  options: BenchOptions,
  load: { rate: number; seconds: number; measured: boolean },
): Promise<LoadResult> {
  const events = Math.max(options.batch, Math.round(load.rate * load.seconds));
  const expectation = await expectLoad(tools.receiver, events, course.endpoints);
  const from = new Date();
  const meter = await ProcessMeter.start(course.processes);
  const record = await sendLoad(tools.generator, course, options, { expectation, rate: load.rate });
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
