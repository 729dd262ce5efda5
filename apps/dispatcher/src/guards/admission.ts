import type { Failure, Stopped } from './learnt.js';

/** What is to be done with a record now. */
export type Admission =
  /**
   * Make the attempt, then call `settle` with the same turn. `epoch`: the breaker's, by which it knows what began when.
   * `era`: another one with each resumption and each change of URL.
   */
  | { kind: 'go'; isProbe: boolean; epoch: number; era: number }
  /** Put it off: not before `waitMs`. `blockedMs`: for how long nothing could be sent; missing when it is only too much. */
  | { kind: 'shunt'; waitMs: number; blockedMs?: number }
  | { kind: 'stopped'; stopped: Stopped }
  /** Its subscription was deleted, moved away or ordered otherwise while it waited: find out anew what it needs. */
  | { kind: 'anew' };

export type Turn = Extract<Admission, { kind: 'go' }>;
export type Shunt = Extract<Admission, { kind: 'shunt' }>;

/** How an attempt ended, as far as its subscription's guard cares. */
export type Ending =
  | { verdict: 'success'; durationMs: number }
  | { verdict: 'gone'; durationMs: number; failure: Failure }
  | { verdict: 'failed'; durationMs: number; failure: Failure; retryAfterMs?: number | undefined }
  /** There was no attempt. */
  | { verdict: 'aborted' };
