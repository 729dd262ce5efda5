import { NOT_SENT, type Arrivals, type Expectation, type SendRecord } from './messages.ts';

/**
 * What became of everything that was sent. An event counts once per endpoint, so that
 * `owed` = `deliveredOnce` + `duplicated` + `lost`.
 */
export interface RunLedger {
  events: number;
  /** Events that were answered with a 2xx. */
  accepted: number;
  /** Events by what became of their sending, other than accepted: `503`, `no answer`, `not sent`. */
  refused: Record<string, number>;
  /** `accepted` × endpoints. */
  owed: number;
  deliveredOnce: number;
  duplicated: number;
  lost: number;
  /** Requests beyond the first one for `duplicated`. */
  repetitions: number;
  /** Requests for events that were not accepted, as can happen when the answer to the publisher got lost. */
  unaccepted: number;
  /** Requests for nothing that was sent. */
  unknown: number;
}

export function isAccepted(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

export function reconcile(
  { events, endpoints }: Expectation,
  { status }: SendRecord,
  arrivals: Arrivals,
): RunLedger {
  const ledger: RunLedger = {
    events,
    accepted: 0,
    refused: {},
    owed: 0,
    deliveredOnce: 0,
    duplicated: 0,
    lost: 0,
    repetitions: 0,
    unaccepted: 0,
    unknown: arrivals.requests,
  };
  for (let event = 0; event < events; event++) {
    const accepted = isAccepted(status[event]);
    if (accepted) ledger.accepted++;
    else countRefusal(ledger.refused, status[event] ?? NOT_SENT);
    for (let endpoint = 0; endpoint < endpoints; endpoint++) {
      const requests = arrivals.count[endpoint * events + event] ?? 0;
      ledger.unknown -= requests;
      if (!accepted) ledger.unaccepted += requests;
      else if (requests === 0) ledger.lost++;
      else if (requests === 1) ledger.deliveredOnce++;
      else {
        ledger.duplicated++;
        ledger.repetitions += requests - 1;
      }
    }
  }
  ledger.owed = ledger.accepted * endpoints;
  return ledger;
}

/** Why the figures of a run must not be used; empty when they may. */
export function objections(ledger: RunLedger): string[] {
  const found: string[] = [];
  const { owed, deliveredOnce, duplicated, lost, unknown } = ledger;
  if (owed !== deliveredOnce + duplicated + lost) {
    found.push(`${owed} deliveries were owed, but ${deliveredOnce + duplicated + lost} are accounted for`);
  }
  if (lost > 0) found.push(`${lost} of ${owed} deliveries were lost`);
  if (unknown !== 0) found.push(`${unknown} requests arrived for events that were not sent in this run`);
  if (owed === 0) found.push('nothing was accepted');
  return found;
}

function countRefusal(refused: Record<string, number>, status: number): void {
  const name = status > 0 ? String(status) : status === NOT_SENT ? 'not sent' : 'no answer';
  refused[name] = (refused[name] ?? 0) + 1;
}
