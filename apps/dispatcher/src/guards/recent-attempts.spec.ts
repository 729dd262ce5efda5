import { describe, expect, it } from 'vitest';
import { delivery } from './guard.fixture.js';
import { RecentAttempts } from './recent-attempts.js';

describe('RecentAttempts', () => {
  it('recognises a retry that was passed on twice, and not the one that follows', () => {
    const recent = new RecentAttempts();
    recent.note(delivery('a', { attempt: 1 }), false);
    expect(recent.isRepeated(delivery('a', { attempt: 1 }))).toBe(true);
    expect(recent.isRepeated(delivery('a', { attempt: 2 }))).toBe(false);
    recent.note(delivery('a', { attempt: 2 }), true);
    expect(recent.isRepeated(delivery('a', { attempt: 2 }))).toBe(true);
    expect(recent.isRepeated(delivery('b', { attempt: 2 }))).toBe(false);
  });

  it('lets what is sent again from the ledger begin anew', () => {
    const recent = new RecentAttempts();
    recent.note(delivery('a', { attempt: 3 }), false);
    expect(recent.isRepeated(delivery('a', { attempt: 1, replay: true }))).toBe(false);
    recent.note(delivery('a', { attempt: 1, replay: true }), false);
    expect(recent.isRepeated(delivery('a', { attempt: 2, replay: true }))).toBe(false);
  });

  it('forgets the oldest first', () => {
    const recent = new RecentAttempts();
    for (let n = 0; n <= 20_000; n++) recent.note(delivery(String(n)), false);
    expect(recent.isRepeated(delivery('0'))).toBe(false);
    expect(recent.isRepeated(delivery('1'))).toBe(true);
  });
});
