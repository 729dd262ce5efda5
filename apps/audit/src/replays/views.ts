import type { LedgerReplay, ReplayKind, ReplayState } from '@quittance/persistence';
import * as z from 'zod';

/** RFC 3339 in UTC, with milliseconds. */
const time = z.iso.datetime({ precision: 3 });

export const replayView = z
  .object({
    id: z.string(),
    subscription: z.string(),
    kind: z
      .enum(['recover', 'held', 'probe'] as const satisfies readonly ReplayKind[])
      .describe(
        '`recover`: asked for. `held`: begun by itself, of what was held while the subscription was suspended. `probe`: one delivery, to find out whether an unreachable subscriber answers again.',
      ),
    since: time.nullable().describe('Of `recover`.'),
    until: time.nullable().describe('Of `recover`.'),
    rate: z.number().int().describe('Events per second at most.'),
    state: z.enum(['running', 'completed', 'cancelled', 'failed'] as const satisfies readonly ReplayState[]),
    total: z.number().int().nullable().describe('How many events there are; `null` until they are counted.'),
    done: z.number().int().describe('How many of them are on their way, or turned out to be gone.'),
    remaining: z.number().int().nullable(),
    waiting: z
      .string()
      .nullable()
      .describe('What it waits for, for a person; `null` while it does not wait.'),
    startedAt: time,
    finishedAt: time.nullable(),
    estimatedEnd: time.nullable().describe('At its rate; `null` while it is unknown, and after the end.'),
    createdBy: z
      .string()
      .describe('`admin`, `api-key:<namespace>/<name>`, or `quittance` for what began by itself.'),
    error: z.string().nullable().describe('Why it failed.'),
  })
  .meta({ id: 'Replay' });
export type ReplayView = z.infer<typeof replayView>;

/** @param now epoch milliseconds */
export function viewOf(row: LedgerReplay, now: number): ReplayView {
  const isRunning = row.state === 'running';
  // Of one that was ended while it counted, nobody knows how many there were.
  const total = row.collected ? row.total : null;
  const remaining = total === null ? null : total - row.done;
  const isEndKnown = isRunning && remaining !== null && row.waiting === null;
  return {
    id: row.id,
    subscription: row.subscription,
    kind: row.kind,
    since: row.since?.toISOString() ?? null,
    until: row.until?.toISOString() ?? null,
    rate: row.rate,
    state: row.state,
    total,
    done: row.done,
    remaining,
    waiting: isRunning ? row.waiting : null,
    startedAt: row.startedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
    estimatedEnd: isEndKnown ? new Date(now + (remaining / row.rate) * 1_000).toISOString() : null,
    createdBy: row.createdBy,
    error: row.error,
  };
}
