import { describe, expect, it } from 'vitest';
import { delivery } from './guard.fixture.js';
import { RecentAttempts } from './recent-attempts.js';

const ASSIGNMENT = 1;

function recentAttempts() {
  const recent = new RecentAttempts();
  const asked = (id: string, attempt = 1, replay = false) =>
    delivery(id, { attempt, ...(replay ? { replay } : {}) });
  return {
    begin: (id: string, attempt?: number, replay?: boolean, assignment = ASSIGNMENT) =>
      recent.begin(asked(id, attempt, replay), assignment),
    takeBack: (id: string, attempt: number) => recent.takeBack(asked(id, attempt), ASSIGNMENT),
    succeeded: (id: string, attempt: number) => recent.succeeded(asked(id, attempt)),
  };
}

describe('RecentAttempts', () => {
  it('recognises an attempt that is asked for twice, and not the one that follows', () => {
    const recent = recentAttempts();
    expect(recent.begin('a', 1)).toBe(true);
    expect(recent.begin('a', 1)).toBe(false);
    expect(recent.begin('a', 2)).toBe(true);
    recent.succeeded('a', 2);
    expect(recent.begin('a', 2)).toBe(false);
    expect(recent.begin('a', 1)).toBe(false);
    expect(recent.begin('b', 2)).toBe(true);
  });

  it('lets an attempt that was put off be asked for again, and only that one', () => {
    const recent = recentAttempts();
    recent.begin('a', 3);
    recent.takeBack('a', 3);
    expect(recent.begin('a', 2)).toBe(false);
    expect(recent.begin('a', 3)).toBe(true);
  });

  it('lets what is sent again from the ledger begin anew', () => {
    const recent = recentAttempts();
    recent.begin('a', 3);
    expect(recent.begin('a', 1, true)).toBe(true);
    expect(recent.begin('a', 2, true)).toBe(true);
  });

  it('knows nothing of what was begun under another assignment', () => {
    const recent = recentAttempts();
    recent.begin('a', 2);
    expect(recent.begin('a', 2, false, ASSIGNMENT + 1)).toBe(true);
    recent.takeBack('a', 2);
    expect(recent.begin('a', 2, false, ASSIGNMENT + 1)).toBe(false);
  });

  it('forgets the oldest first', () => {
    const recent = recentAttempts();
    for (let n = 0; n < 200_000; n++) recent.begin(String(n));
    expect(recent.begin('199999')).toBe(false);
    expect(recent.begin('100000')).toBe(false);
    expect(recent.begin('99999')).toBe(true);
  });
});
