import { Injectable } from '@nestjs/common';
import type { DeliveryRecord } from '@quittance/contracts';

/** Attempts that are remembered in a process; about 40 MB. */
const CAPACITY = 200_000;

interface Attempt {
  attempt: number;
  /** Under which assignment it was begun. */
  assignment: number;
}

/**
 * The attempts that were begun under an assignment: those under way, and those that were followed by another record,
 * failures and retries. After a crash a failed attempt may have been passed on twice, and each of its two retries would
 * be tried to the end of the schedule; the second of them is recognised here, even while the first one waits for its
 * turn. Only for the assignment: what was tried under another may not have been passed on.
 */
@Injectable()
export class RecentAttempts {
  private readonly attempts = new Map<string, Attempt>();

  /**
   * @param assignment a number of its own
   * @returns false when another record asked for this attempt, or for a later one
   */
  begin({ deliveryId, attempt, replay }: DeliveryRecord, assignment: number): boolean {
    const known = this.attempts.get(deliveryId);
    // Sent again from the ledger: a delivery begins anew under the same id.
    const isAnew = replay === true && attempt === 1;
    if (known?.assignment === assignment && attempt <= known.attempt && !isAnew) return false;
    this.attempts.delete(deliveryId);
    this.attempts.set(deliveryId, { attempt, assignment });
    if (this.attempts.size > CAPACITY) {
      const [oldest] = this.attempts.keys();
      if (oldest !== undefined) this.attempts.delete(oldest);
    }
    return true;
  }

  /** The attempt was not made, and another record may ask for it. */
  takeBack({ deliveryId, attempt }: DeliveryRecord, assignment: number): void {
    const known = this.attempts.get(deliveryId);
    if (known?.assignment !== assignment || known.attempt !== attempt) return;
    // Nothing comes before a first one. A whole backlog that is put off must not be remembered.
    if (attempt === 1) this.attempts.delete(deliveryId);
    else known.attempt--;
  }

  /** The attempt succeeded. A first one needs to be remembered no more: nothing follows from it. */
  succeeded({ deliveryId, attempt }: DeliveryRecord): void {
    if (attempt === 1) this.attempts.delete(deliveryId);
  }
}
