/** What is known of one event so far. */
interface Group<T> {
  items: T[];
  /** Of the event, as long as its routing has not come. */
  eventKey: string | undefined;
  /** Deliveries that nothing was heard of since they were routed. */
  open: Set<string>;
  /** When it is passed on in any case, by `performance.now()`. */
  until: number;
}

const LOOK_MS = 100;

/**
 * Keeps records back until what they tell of an event is whole: the event, its routing, and an outcome of each delivery.
 * The ledger then writes each row once. Written apart, a delivery is inserted as pending and updated a moment later, and
 * the update leaves a partial index and so writes an entry in every index: 62 ms of Postgres' processor time per 1,000
 * deliveries instead of 29 (docs/performance.md). In a system that falls behind that is what keeps it behind.
 *
 * Nothing is kept for longer than `longestMs`, and nothing begins to be kept unless it `isWorthIt`.
 */
export class EventGathering<T> {
  private readonly byEvent = new Map<string, Group<T>>();
  private readonly byDelivery = new Map<string, Group<T>>();
  /** In the order in which their time is up. */
  private readonly groups = new Set<Group<T>>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly options: {
      pass: (item: T) => void;
      longestMs: number;
      isWorthIt: () => boolean;
    },
  ) {}

  /** Items that are kept back. */
  get size(): number {
    let size = 0;
    for (const { items } of this.groups) size += items.length;
    return size;
  }

  /** The event itself. */
  event(key: string, item: T): void {
    if (this.isWorthKeeping && !this.byEvent.has(key)) this.byEvent.set(key, this.begin(item, key));
    else this.options.pass(item);
  }

  /** @param deliveries what is on its way to a subscriber now */
  routed(key: string, deliveries: readonly string[], item: T): void {
    let group = this.byEvent.get(key);
    if (group) {
      this.byEvent.delete(key);
      group.eventKey = undefined;
      group.items.push(item);
    } else if (this.isWorthKeeping && deliveries.length > 0) {
      group = this.begin(item, undefined);
    } else {
      this.options.pass(item);
      return;
    }
    for (const id of deliveries) {
      if (this.byDelivery.has(id)) continue;
      this.byDelivery.set(id, group);
      group.open.add(id);
    }
    this.passOnIfWhole(group);
  }

  /** What became of a delivery, or of one attempt. */
  outcome(delivery: string, item: T): void {
    const group = this.byDelivery.get(delivery);
    if (!group) {
      this.options.pass(item);
      return;
    }
    this.byDelivery.delete(delivery);
    group.open.delete(delivery);
    group.items.push(item);
    this.passOnIfWhole(group);
  }

  /** Passes everything on, and keeps nothing any more. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    for (const group of this.groups) this.passOn(group);
  }

  private get isWorthKeeping(): boolean {
    return !this.isClosed && this.options.isWorthIt();
  }

  private begin(item: T, eventKey: string | undefined): Group<T> {
    const until = performance.now() + this.options.longestMs;
    const group: Group<T> = { items: [item], eventKey, open: new Set(), until };
    this.groups.add(group);
    this.timer ??= setTimeout(this.look, LOOK_MS);
    return group;
  }

  private readonly look = (): void => {
    this.timer = undefined;
    const now = performance.now();
    for (const group of this.groups) {
      if (group.until > now) break;
      this.passOn(group);
    }
    if (this.groups.size > 0) this.timer = setTimeout(this.look, LOOK_MS);
  };

  private passOnIfWhole(group: Group<T>): void {
    if (group.open.size === 0 && group.eventKey === undefined) this.passOn(group);
  }

  private passOn(group: Group<T>): void {
    this.groups.delete(group);
    if (group.eventKey !== undefined) this.byEvent.delete(group.eventKey);
    for (const id of group.open) this.byDelivery.delete(id);
    for (const item of group.items) this.options.pass(item);
  }
}
