import { describe, expect, it } from 'vitest';
import { delivery } from './guard.fixture.js';
import { RecentAttempts } from './recent-attempts.js';

describe('RecentAttempts', () => {
  it('recognises an attempt that is asked for twice, and not the one that follows', () => {
    const recent = new RecentAttempts();
    expect(recent.begin(delivery('a', { attempt: 1 }))).toBe(true);
    expect(recent.begin(delivery('a', { attempt: 1 }))).toBe(false);
    expect(recent.begin(delivery('a', { attempt: 2 }))).toBe(true);
    recent.succeeded(delivery('a', { attempt: 2 }));
    expect(recent.begin(delivery('a', { attempt: 2 }))).toBe(false);
    expect(recent.begin(delivery('a', { attempt: 1 }))).toBe(false);
    expect(recent.begin(delivery('b', { attempt: 2 }))).toBe(true);
  });

  it('lets an attempt that was put off be asked for again, and only that one', () => {
    const recent = new RecentAttempts();
    recent.begin(delivery('a', { attempt: 3 }));
    recent.takeBack(delivery('a', { attempt: 3 }));
    expect(recent.begin(delivery('a', { attempt: 2 }))).toBe(false);
    expect(recent.begin(delivery('a', { attempt: 3 }))).toBe(true);
  });

  it('lets what is sent again from the ledger begin anew', () => {
    const recent = new RecentAttempts();
    recent.begin(delivery('a', { attempt: 3 }));
    expect(recent.begin(delivery('a', { attempt: 1, replay: true }))).toBe(true);
    expect(recent.begin(delivery('a', { attempt: 2, replay: true }))).toBe(true);
  });

  it('forgets the oldest first', () => {
    const recent = new RecentAttempts();
    for (let n = 0; n <= 20_000; n++) recent.begin(delivery(String(n)));
    expect(recent.begin(delivery('1'))).toBe(false);
    expect(recent.begin(delivery('0'))).toBe(true);
  });
});
