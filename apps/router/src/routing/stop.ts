import type { HeldCode, SubscriptionState } from '@quittance/contracts';

/** What a stopped subscription means for an event that it wants. */
export type Stop = { kind: 'held'; code: HeldCode } | { kind: 'disabled'; reason: string };

/** @param stopped of the subscription's state */
export function stopOf({ kind, code, at, reason }: NonNullable<SubscriptionState['stopped']>): Stop {
  if (kind === 'disabled' || code === 'gone' || code === 'failing') {
    const since = new Date(at).toISOString();
    const why = /[.!?]$/.test(reason) ? reason : `${reason}.`;
    return {
      kind: 'disabled',
      reason: `The subscription has been disabled since ${since}: ${why} Resume it, then recover what it missed since then.`,
    };
  }
  return { kind: 'held', code };
}
