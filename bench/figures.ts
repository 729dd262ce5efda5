import type { RunLedger } from './ledger.ts';
import { isAccepted } from './ledger.ts';
import type { Arrivals, SendRecord } from './messages.ts';
import type { ProcessUsage } from './processes.ts';
import { distributionOf, type Distribution } from './statistics.ts';

/** What one load came to. Times are milliseconds, rates are per second. */
export interface Figures {
  /** The rate that was scheduled. */
  scheduledPerSecond: number;
  acceptedPerSecond: number;
  /** From the first event's due time to the last arrival, or to the end of the schedule. */
  deliveredPerSecond: number;
  /** Due time to arrival at the receiver. */
  latencyMs: Distribution;
  /** Due time to the 202. */
  acceptanceMs: Distribution;
  /** Due time to the socket: what the generator itself was late. */
  generatorDelayMs: Distribution;
  /** From the last event's due time to the last 202, the last arrival, and the audit ledger's knowing of all. */
  lastAcceptedLagMs: number;
  lastArrivalLagMs: number;
  ledgerLagMs: number;
  /** Requests that had to wait for one of the generator's slots, and the most that waited at once. */
  heldBack: number;
  longestQueue: number;
  /** Processor time per 1,000 deliveries: of the whole system, tools not counted, and of each process. */
  cpuMsPer1000: number;
  processes: Record<string, { cpuMsPer1000: number; peakRssMiB: number }>;
  tools: Record<string, { cpuMsPer1000: number; peakRssMiB: number }>;
}

export interface LoadOutcome {
  rate: number;
  record: SendRecord;
  arrivals: Arrivals;
  ledger: RunLedger;
  usage: readonly ProcessUsage[];
  /** When the audit ledger knew of everything; NaN when it was not asked, or never did. */
  recordedAt: number;
}

export function figuresOf(outcome: LoadOutcome): Figures {
  const { rate, record, arrivals, ledger, usage, recordedAt } = outcome;
  const { dueAt, sentAt, answeredAt, status } = record;
  const events = dueAt.length;
  const firstDue = dueAt[0] ?? Number.NaN;
  const lastDue = dueAt[events - 1] ?? Number.NaN;
  // The last event has its share of the time too: ten events at ten a second take a second, not nine tenths.
  const scheduleMs = (events * 1000) / rate;
  const accepted = Array.from(dueAt.keys()).filter((event) => isAccepted(status[event]));

  const latencies: number[] = [];
  let lastArrival = firstDue;
  for (const [position, arrivedAt] of arrivals.arrivedAt.entries()) {
    if (arrivedAt === 0) continue;
    latencies.push(arrivedAt - at(dueAt, position % events));
    lastArrival = Math.max(lastArrival, arrivedAt);
  }
  const lastAccepted = accepted.reduce((latest, event) => Math.max(latest, at(answeredAt, event)), firstDue);
  const delivered = ledger.deliveredOnce + ledger.duplicated;
  const perThousand = (ms: number): number => (ms * 1000) / delivered;
  const listed = (own: boolean): Figures['processes'] =>
    Object.fromEntries(
      usage
        .filter(({ isOwn }) => isOwn === own)
        .map(({ name, cpuMs, peakRssMiB }) => [name, { cpuMsPer1000: perThousand(cpuMs), peakRssMiB }]),
    );
  return {
    scheduledPerSecond: rate,
    acceptedPerSecond: perSecond(ledger.accepted, Math.max(scheduleMs, lastAccepted - firstDue)),
    deliveredPerSecond: perSecond(delivered, Math.max(scheduleMs, lastArrival - firstDue)),
    latencyMs: distributionOf(latencies),
    acceptanceMs: distributionOf(accepted.map((event) => at(answeredAt, event) - at(dueAt, event))),
    generatorDelayMs: distributionOf(
      Array.from(dueAt.keys())
        .filter((event) => at(sentAt, event) > 0)
        .map((event) => at(sentAt, event) - at(dueAt, event)),
    ),
    lastAcceptedLagMs: Math.max(0, lastAccepted - lastDue),
    lastArrivalLagMs: Math.max(0, lastArrival - lastDue),
    ledgerLagMs: Math.max(0, recordedAt - lastDue),
    heldBack: record.heldBack,
    longestQueue: record.longestQueue,
    cpuMsPer1000: perThousand(usage.filter(({ isOwn }) => !isOwn).reduce((sum, { cpuMs }) => sum + cpuMs, 0)),
    processes: listed(false),
    tools: listed(true),
  };
}

/** How far behind a system may be when the load ends and still count as keeping up with it. */
export const TOLERANCE_MS = { acceptance: 1_000, arrival: 1_000, ledger: 2_000 } as const;

/** Whether the system kept up with the load to its end: nothing refused, and no backlog, of the ledger either. */
export function isSustained(figures: Figures, ledger: RunLedger): boolean {
  return (
    ledger.accepted === ledger.events &&
    ledger.lost === 0 &&
    figures.lastAcceptedLagMs <= TOLERANCE_MS.acceptance &&
    figures.lastArrivalLagMs <= TOLERANCE_MS.arrival &&
    figures.ledgerLagMs <= TOLERANCE_MS.ledger
  );
}

function perSecond(count: number, ms: number): number {
  return (count * 1000) / ms;
}

function at(times: Float64Array, position: number): number {
  return times[position] ?? Number.NaN;
}
