import type { DeliveryRecord } from '@quittance/contracts';

/** Failed attempts that are remembered per guard; about 3 MB. */
const CAPACITY = 20_000;

/**
 * The attempts made under an assignment that were followed by another record: failures, and retries. After a crash a
 * failed attempt may have been passed on twice, and each of its two retries would be tried to the end of the schedule;
 * the second of them is recognised here. Only for the assignment: what was tried under another may not have been passed
 * on.
 */
export class RecentAttempts {
  private readonly attempts = new Map<string, number>();

  /** Whether the attempt that the record asks for, or a later one, was made already. */
  isRepeated({ deliveryId, attempt, replay }: DeliveryRecord): boolean {
    const known = this.attempts.get(deliveryId);
    if (known === undefined) return false;
    // Sent again from the ledger: a delivery begins anew under the same id.
    if (replay && attempt === 1) {
      this.attempts.delete(deliveryId);
      return false;
    }
    return attempt <= known;
  }

  /** The attempt was made. A first one that succeeded needs no note: nothing follows from it. */
  note({ deliveryId, attempt }: DeliveryRecord, isSuccess: boolean): void {
    if (isSuccess && attempt === 1) return;
    this.attempts.delete(deliveryId);
    this.attempts.set(deliveryId, attempt);
    if (this.attempts.size > CAPACITY) {
      const [oldest] = this.attempts.keys();
      if (oldest !== undefined) this.attempts.delete(oldest);
    }
  }
}
