import { formatDuration, type LadderStep, type SubscriptionSpec } from '@quittance/contracts';
import * as z from 'zod';
import type { Standing } from './standing.js';

/** Later years are written with more than four digits, which RFC 3339 does not know; a year is for the schedule. */
const LAST_YEAR = 9998;

export const scheduleQuery = z.strictObject({
  from: z.iso
    .datetime({ offset: true, error: 'must be a time as in RFC 3339, such as "2026-01-31T12:00:00Z"' })
    .refine((text) => new Date(text).getUTCFullYear() <= LAST_YEAR, {
      error: `must lie before the year ${LAST_YEAR + 1}`,
    })
    .optional()
    .describe('When the first attempt is made. Left out: now.'),
});

const time = z.iso.datetime({ offset: true });

export const retrySchedule = z
  .object({
    from: time,
    attempts: z.array(
      z.object({
        number: z.number().int().min(1),
        step: z.string().nullable().describe('The step of the retry ladder since the attempt before.'),
        after: z.string().describe('Since the first attempt.'),
        at: time,
      }),
    ),
    gaveUpAfter: z.string().describe('Since the first attempt: when the last one has failed.'),
    notes: z.array(z.string()).describe('What may move the times.'),
  })
  .meta({ id: 'RetrySchedule' });
export type RetrySchedule = z.infer<typeof retrySchedule>;

export interface Scheduled {
  readonly spec: SubscriptionSpec;
  /** As many as there are retries. */
  readonly steps: readonly LadderStep[];
  readonly state: Standing['state'];
}

/** When each attempt would be made if all failed at once, and nothing stood in the way. */
export function scheduleOf({ spec, steps, state }: Scheduled, fromMs: number): RetrySchedule {
  let afterMs = 0;
  const retries = steps.map(({ name, delayMs }, index) => {
    afterMs += delayMs;
    return attemptOf(index + 2, name, afterMs, fromMs);
  });
  return {
    from: new Date(fromMs).toISOString(),
    attempts: [attemptOf(1, null, 0, fromMs), ...retries],
    gaveUpAfter: formatDuration(afterMs),
    notes: notesOf(spec, state),
  };
}

function attemptOf(number: number, step: string | null, afterMs: number, fromMs: number) {
  return { number, step, after: formatDuration(afterMs), at: new Date(fromMs + afterMs).toISOString() };
}

function notesOf(spec: SubscriptionSpec, state: Standing['state']): string[] {
  const { ordering, whenExhausted, rateLimit } = spec.delivery;
  const notes: string[] = [];
  if (state !== 'active')
    notes.push(`The subscription is ${state} at present, so no attempt follows this schedule.`);
  notes.push(
    `Each wait begins when the attempt before has failed, which takes up to ${spec.destination.webhook.timeout}, the timeout.`,
    '`Retry-After` with 429 or 503 lengthens a wait.',
    'While the circuit breaker is open, after failures in a row (no answer, 5xx, 408, 429), nothing is sent, and nothing counts as an attempt.',
  );
  if (ordering === 'strict') {
    notes.push(
      '`ordering: strict`: retries are made in place, and nothing else is sent meanwhile. ' +
        (whenExhausted === 'halt'
          ? 'After the last attempt the subscription halts until somebody resumes it.'
          : 'After the last attempt the event is given up, and the next one follows.'),
    );
  } else {
    notes.push(
      'A retry that is due goes behind what stands in the backlog of its subscription, and retries that are due together are spread a little.',
    );
  }
  if (rateLimit)
    notes.push(`At most ${rateLimit.rate} requests per second are made: a backlog takes its time.`);
  notes.push('410 ends it at once: the subscription is disabled.');
  return notes;
}
