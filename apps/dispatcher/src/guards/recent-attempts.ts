import { Injectable } from '@nestjs/common';
import type { DeliveryRecord } from '@quittance/contracts';

/** Attempts of a generation: so many are remembered in a process at least, and twice as many at most; about 40 MB. */
const GENERATION = 100_000;

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
  // Two generations, the elder of which is dropped whole: to find the oldest key of one map takes the longer the more of
  // its keys were deleted.
  private present = new Map<string, Attempt>();
  private previous = new Map<string, Attempt>();

  /**
   * @param assignment a number of its own
   * @returns false when another record asked for this attempt, or for a later one
   */
  begin({ deliveryId, attempt, replay }: DeliveryRecord, assignment: number): boolean {
    const known = this.find(deliveryId);
    // Sent again from the ledger: a delivery begins anew under the same id.
    const isAnew = replay === true && attempt === 1;
    if (known?.assignment === assignment && attempt <= known.attempt && !isAnew) return false;
    this.present.set(deliveryId, { attempt, assignment });
    if (this.present.size >= GENERATION) {
      this.previous = this.present;
      this.present = new Map();
    }
    return true;
  }

  /** The attempt was not made, and another record may ask for it. */
  takeBack({ deliveryId, attempt }: DeliveryRecord, assignment: number): void {
    const known = this.find(deliveryId);
    if (known?.assignment !== assignment || known.attempt !== attempt) return;
    // Nothing comes before a first one. A whole backlog that is put off must not be remembered.
    if (attempt === 1) this.forget(deliveryId);
    else known.attempt--;
  }

  /** The attempt succeeded. A first one needs to be remembered no more: nothing follows from it. */
  succeeded({ deliveryId, attempt }: DeliveryRecord): void {
    if (attempt === 1) this.forget(deliveryId);
  }

  private find(deliveryId: string): Attempt | undefined {
    return this.present.get(deliveryId) ?? this.previous.get(deliveryId);
  }

  private forget(deliveryId: string): void {
    this.present.delete(deliveryId);
    this.previous.delete(deliveryId);
  }
}
