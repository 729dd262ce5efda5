import type { LadderStep } from '@quittance/contracts';
import { stepFor } from '@quittance/webhooks';

/**
 * For how long a record is put off without an attempt.
 *
 * Nothing can be sent: for about as long again as that has been so (at most twice as long, and at least until the next
 * probe), so the longer it lasts the rarer its backlog is written anew, and nothing waits much longer than it lasted.
 * It is only too much: until about its turn.
 * @param waitMs not before
 * @param blockedMs for how long nothing could be sent; missing when it is only too much
 */
export function shuntStep(
  ladder: readonly LadderStep[],
  waitMs: number,
  blockedMs: number | undefined,
): LadderStep {
  const atMost = blockedMs === undefined ? waitMs : 2 * blockedMs;
  const step = ladder.findLast(({ delayMs }) => delayMs <= atMost) ?? stepFor(ladder, 0);
  return blockedMs === undefined || step.delayMs >= waitMs ? step : stepFor(ladder, waitMs);
}
