import type { DeliveryRecord } from '@quittance/contracts';
import type { Admission } from './admission.js';

interface Waiting {
  delivery: DeliveryRecord;
  /** Which record it is; only with strict order. */
  place: bigint | undefined;
  admitted(admission: Admission): void;
  refused(error: Error): void;
}

/** So many that were admitted keep their place in the array at least. */
const COMPACT_FROM = 1024;

/** Records that wait for their admission. */
export class WaitingLine {
  private waiting: (Waiting | undefined)[] = [];
  private head = 0;

  get size(): number {
    return this.waiting.length - this.head;
  }

  /** Who is next; not to be asked when nobody waits. */
  get first(): Pick<Waiting, 'delivery' | 'place'> {
    return this.waiting[this.head]!;
  }

  /** Who came last; not to be asked when nobody waits. */
  get last(): DeliveryRecord {
    return this.waiting.at(-1)!.delivery;
  }

  /** @param isFirst before all that wait */
  join(delivery: DeliveryRecord, place: bigint | undefined, isFirst: boolean): Promise<Admission> {
    return new Promise((admitted, refused) => {
      const entry: Waiting = { delivery, place, admitted, refused };
      if (isFirst) this.waiting.splice(this.head, 0, entry);
      else this.waiting.push(entry);
    });
  }

  admitFirst(admission: Admission): void {
    const { admitted } = this.waiting[this.head]!;
    // A line that is never empty must not keep the bodies of all that ever stood in it.
    this.waiting[this.head++] = undefined;
    if (this.head === this.waiting.length) this.clear();
    else if (this.head >= COMPACT_FROM && this.head * 2 >= this.waiting.length) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
    admitted(admission);
  }

  admitLast(admission: Admission): void {
    const { admitted } = this.waiting.pop()!;
    if (this.size === 0) this.clear();
    admitted(admission);
  }

  /** In their order. */
  admitAll(admission: Admission): void {
    for (const { admitted } of this.takeAll()) admitted(admission);
  }

  refuseAll(error: () => Error): void {
    for (const { refused } of this.takeAll()) refused(error());
  }

  private takeAll(): Waiting[] {
    const all = this.waiting.slice(this.head) as Waiting[];
    this.clear();
    return all;
  }

  private clear(): void {
    this.waiting = [];
    this.head = 0;
  }
}
