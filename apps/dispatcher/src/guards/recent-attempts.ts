import type { DeliveryRecord } from '@quittance/contracts';

/** Attempts that are remembered per guard; about 3 MB. */
const CAPACITY = 20_000;

/**
 * The attempts that were begun under an assignment: those under way, and those that were followed by another record,
 * failures and retries. After a crash a failed attempt may have been passed on twice, and each of its two retries would
 * be tried to the end of the schedule; the second of them is recognised here, even while the first one waits for its
 * turn. Only for the assignment: what was tried under another may not have been passed on.
 */
export class RecentAttempts {
  private readonly attempts = new Map<string, number>();

  /** @returns false when another record asked for this attempt, or for a later one */
  begin({ deliveryId, attempt, replay }: DeliveryRecord): boolean {
    const known = this.attempts.get(deliveryId);
    // Sent again from the ledger: a delivery begins anew under the same id.
    const isAnew = replay === true && attempt === 1;
    if (known !== undefined && attempt <= known && !isAnew) return false;
    this.attempts.delete(deliveryId);
    this.attempts.set(deliveryId, attempt);
    if (this.attempts.size > CAPACITY) {
      const [oldest] = this.attempts.keys();
      if (oldest !== undefined) this.attempts.delete(oldest);
    }
    return true;
  }

  /** The attempt was not made, and another record may ask for it. */
  takeBack({ deliveryId, attempt }: DeliveryRecord): void {
    if (this.attempts.get(deliveryId) === attempt) this.attempts.set(deliveryId, attempt - 1);
  }

  /** The attempt succeeded. A first one needs to be remembered no more: nothing follows from it. */
  succeeded({ deliveryId, attempt }: DeliveryRecord): void {
    if (attempt === 1) this.attempts.delete(deliveryId);
  }
}
