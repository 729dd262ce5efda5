import { DEFAULT_LADDER, parseLadder, type LadderStep } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { scheduleOf, scheduleQuery } from './schedule.js';
import { NOW, resourceOf } from './view.fixture.js';

const scheduleWith = (
  steps: readonly LadderStep[],
  delivery: Record<string, unknown> = {},
  state: 'active' | 'paused' = 'active',
) => scheduleOf({ spec: resourceOf({ spec: { delivery } }).spec, steps, state }, NOW);

describe('A schedule', () => {
  it('tells when each attempt is made if all fail', () => {
    const [five] = DEFAULT_LADDER;
    expect(scheduleWith([five!, five!, ...parseLadder('24h')])).toMatchObject({
      from: '2026-11-23T12:00:00.000Z',
      attempts: [
        { number: 1, step: null, after: '0s', at: '2026-11-23T12:00:00.000Z' },
        { number: 2, step: '5s', after: '5s', at: '2026-11-23T12:00:05.000Z' },
        { number: 3, step: '5s', after: '10s', at: '2026-11-23T12:00:10.000Z' },
        { number: 4, step: '24h', after: '24h 10s', at: '2026-11-24T12:00:10.000Z' },
      ],
      gaveUpAfter: '24h 10s',
    });
  });

  it('by the whole ladder has nine attempts in 45 hours', () => {
    const { attempts, gaveUpAfter } = scheduleWith(DEFAULT_LADDER);
    expect(attempts).toHaveLength(9);
    expect(gaveUpAfter).toBe('44h 35m 35s');
  });

  it('without retries has one attempt', () => {
    const { attempts, gaveUpAfter } = scheduleWith([]);
    expect(attempts.map(({ number }) => number)).toEqual([1]);
    expect(gaveUpAfter).toBe('0s');
  });

  it('says what moves it', () => {
    const words = (...args: Parameters<typeof scheduleWith>) => scheduleWith(...args).notes.join(' ');
    const plain = words([]);
    for (const word of ['15s', 'Retry-After', 'circuit breaker', 'backlog', '410'])
      expect(plain).toContain(word);
    expect(plain).not.toMatch(/strict|requests per second|paused/);
    expect(words([], { rateLimit: { rate: 0.5 } })).toContain('0.5 requests per second');
    expect(words([], {}, 'paused')).toContain('is paused at present');
    const strict = words([], { ordering: 'strict' });
    expect(strict).toMatch(/retries are made in place.*halts until somebody resumes/);
    expect(strict).not.toContain('goes behind what stands in the backlog');
    expect(words([], { ordering: 'strict', whenExhausted: 'skip' })).toContain('the next one follows');
  });

  it('can be asked for any time that it can tell', () => {
    const { success: accepted } = scheduleQuery.safeParse({ from: '9998-12-31T23:59:59Z' });
    expect(accepted).toBe(true);
    for (const from of ['tomorrow', '2026-11-23', '9999-01-01T00:00:00Z', '9998-12-31T23:59:59-01:00']) {
      expect(scheduleQuery.safeParse({ from }).success).toBe(false);
    }
  });
});
