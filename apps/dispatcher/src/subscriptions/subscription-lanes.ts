import { Injectable } from '@nestjs/common';

interface Lane {
  active: number;
  /** As set when someone last entered: a changed limit takes effect with the next delivery. */
  limit: number;
  waiting: (() => void)[];
  head: number;
}

/**
 * Bounds the requests under way per subscription. Local state is enough: one dispatcher owns a subscription
 * at a time, through its home partition.
 */
@Injectable()
export class SubscriptionLanes {
  private readonly lanes = new Map<string, Lane>();

  /**
   * Resolves, first come first served, when the subscription has fewer than `limit` requests under way. Every
   * `enter` is followed by one `leave`.
   * @returns nothing when there is room at once: no turn of the event loop is spent then
   */
  enter(uid: string, limit: number): Promise<void> | undefined {
    let lane = this.lanes.get(uid);
    if (!lane) {
      lane = { active: 0, limit, waiting: [], head: 0 };
      this.lanes.set(uid, lane);
    }
    lane.limit = limit;
    if (lane.active < limit && lane.head === lane.waiting.length) {
      lane.active++;
      return undefined;
    }
    const { waiting } = lane;
    return new Promise((resolve) => waiting.push(resolve));
  }

  leave(uid: string): void {
    const lane = this.lanes.get(uid);
    if (!lane) return;
    lane.active--;
    while (lane.active < lane.limit && lane.head < lane.waiting.length) {
      lane.active++;
      lane.waiting[lane.head++]!();
    }
    if (lane.head === lane.waiting.length) {
      lane.waiting = [];
      lane.head = 0;
      if (lane.active === 0) this.lanes.delete(uid);
    }
  }
}
