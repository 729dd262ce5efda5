import { DEFAULT_LADDER, parseLadder } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import {
  classifyResponse,
  honoursRetryAfter,
  isOutage,
  nextStep,
  parseRetryAfter,
  stepFor,
} from './retry-policy.js';

describe('classifyResponse', () => {
  it('takes any 2xx for a success, 410 for gone, and all the rest for a failure', () => {
    expect([200, 201, 202, 204, 299].map(classifyResponse)).toEqual(Array(5).fill('success'));
    expect(classifyResponse(410)).toBe('gone');
    expect([301, 304, 400, 404, 429, 500, 503].map(classifyResponse)).toEqual(Array(7).fill('retry'));
  });
});

describe('isOutage', () => {
  it('is no answer, or one that says that the subscriber is down or overwhelmed', () => {
    for (const failure of [500, 502, 503, 504, 429, 408])
      expect([failure, isOutage(failure)]).toEqual([failure, true]);
    for (const failure of ['timeout', 'dns_failed', 'tls_failed', 'response_invalid'] as const)
      expect([failure, isOutage(failure)]).toEqual([failure, true]);
  });

  it('is no other answer, nor what the subscriber has no part in', () => {
    for (const failure of [200, 302, 400, 401, 404, 410, 422])
      expect([failure, isOutage(failure)]).toEqual([failure, false]);
    for (const failure of ['address_blocked', 'request_invalid', 'aborted'] as const)
      expect([failure, isOutage(failure)]).toEqual([failure, false]);
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2025-03-01T10:00:00Z');

  it('reads seconds and HTTP dates', () => {
    expect(parseRetryAfter('120', now)).toBe(120_000);
    expect(parseRetryAfter(['7', '9'], now)).toBe(7000);
    expect(parseRetryAfter('Sat, 01 Mar 2025 10:01:30 GMT', now)).toBe(90_000);
    expect(parseRetryAfter('Saturday, 01-Mar-25 10:01:30 GMT', now)).toBe(90_000);
  });

  it('waits no time for a date that has passed', () => {
    expect(parseRetryAfter('Sat, 01 Mar 2025 09:00:00 GMT', now)).toBe(0);
  });

  it('reads at most a week into it', () => {
    const week = 7 * 86_400_000;
    expect(parseRetryAfter('9999999999', now)).toBe(week);
    expect(parseRetryAfter('Sat, 01 Mar 2098 09:00:00 GMT', now)).toBe(week);
  });

  it.each([undefined, '', 'soon', '-5', '1.5', '5 minutes', '99999999999', 'Sat, 99 Foo 2025 10:01:30 GMT'])(
    'makes nothing of %s',
    (value) => {
      expect(parseRetryAfter(value, now)).toBeUndefined();
    },
  );

  it('counts with 429 and 503', () => {
    expect([429, 503, 500, 200, 301].map(honoursRetryAfter)).toEqual([true, true, false, false, false]);
  });
});

describe('nextStep', () => {
  const ladder = parseLadder('5s,30s,5m');
  const schedule = parseLadder('5s,30s');
  const next = (attempt: number, retryAfterMs?: number): string | undefined =>
    nextStep(schedule, ladder, attempt, retryAfterMs)?.step.name;

  it('goes through the schedule and then gives up', () => {
    expect([1, 2, 3, 4].map((attempt) => next(attempt))).toEqual(['5s', '30s', undefined, undefined]);
    expect(nextStep([], ladder, 1)).toBeUndefined();
  });

  it('offers eight retries by default', () => {
    expect(nextStep(DEFAULT_LADDER, DEFAULT_LADDER, 8)?.step.name).toBe('24h');
    expect(nextStep(DEFAULT_LADDER, DEFAULT_LADDER, 9)).toBeUndefined();
  });

  it('rounds Retry-After up to a step that lasts as long, scheduled or not', () => {
    expect(next(1, 5001)).toBe('30s');
    expect(next(1, 30_000)).toBe('30s');
    expect(next(1, 30_001)).toBe('5m');
    expect(nextStep(schedule, ladder, 1, 30_001)).not.toHaveProperty('notBeforeMs');
  });

  it('never waits less than the schedule does', () => {
    expect(next(2, 0)).toBe('30s');
    expect(next(2, 1000)).toBe('30s');
  });

  it('takes the longest step for what lies beyond the ladder, and says for how long in all', () => {
    expect(nextStep(schedule, ladder, 1, 3_600_000)).toEqual({ step: ladder[2], notBeforeMs: 3_600_000 });
    const longer = parseLadder('1h');
    expect(nextStep(longer, ladder, 1, 7_200_000)).toEqual({ step: longer[0], notBeforeMs: 7_200_000 });
  });

  it('grants no further retry for Retry-After', () => {
    expect(next(3, 1000)).toBeUndefined();
  });
});

describe('stepFor', () => {
  const ladder = parseLadder('5s,30s,5m');

  it('is the first that lasts as long, else the longest', () => {
    const names = [0, 5000, 5001, 300_000, 300_001, Infinity].map((ms) => stepFor(ladder, ms).name);
    expect(names).toEqual(['5s', '5s', '30s', '5m', '5m', '5m']);
  });

  it('is none without a ladder', () => {
    expect(() => stepFor([], 1)).toThrow(RangeError);
  });
});
