import { setMaxListeners } from 'node:events';
import { Catalogue, SubscriptionStates, type ConfigSource } from '@quittance/catalog';
import {
  API_VERSION,
  DEFAULT_LADDER,
  encodeConfigChange,
  encodeEvent,
  encodeSubscriptionState,
  subscriptionSpec,
  Topics,
  type ConfigChange,
  type EventRecord,
  type IncomingRecord,
  type OutgoingRecord,
  type SubscriptionState,
} from '@quittance/contracts';

export const topics = new Topics();

/** A `config.v1` in memory, and the catalogue that follows it. */
export class TestCatalogue implements ConfigSource {
  confirmedAt = Infinity;
  readonly alive = true;
  readonly catalogue = new Catalogue({
    source: this,
    stalenessMs: 200,
    ladder: DEFAULT_LADDER,
    compileSchemas: false,
  });
  private onRecord: ((record: IncomingRecord) => void) | undefined;
  private offset = 0;

  /** @returns a catalogue that is ready, at revision 0 */
  static async open(): Promise<TestCatalogue> {
    const opened = new TestCatalogue();
    await opened.catalogue.start();
    opened.apply({ change: 'snapshot', at: '2026-01-01T00:00:00Z' });
    return opened;
  }

  start(onRecord: (record: IncomingRecord) => void): Promise<void> {
    this.onRecord = onRecord;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  apply(change: ConfigChange): number {
    const record = encodeConfigChange(topics.config, change);
    this.onRecord?.(incoming(record, this.offset));
    return this.offset++;
  }

  /** @param spec as a client writes it; @returns the revision from which it holds */
  subscribe(name: string, spec: Record<string, unknown> = {}, partition = 3, activation = 1): number {
    const destination = { webhook: { url: 'http://127.0.0.1:9000/' } };
    return this.apply({
      change: 'put',
      resource: {
        apiVersion: API_VERSION,
        kind: 'Subscription',
        metadata: {
          name,
          namespace: 'shop',
          uid: `uid-${name}`,
          labels: {},
          annotations: {},
          generation: 1,
          resourceVersion: '1',
          createdAt: '2026-01-01T00:00:00.000Z',
          updatedAt: '2026-01-01T00:00:00.000Z',
        },
        spec: subscriptionSpec.parse({ events: ['order.*'], destination, ...spec }),
        status: { state: 'active', partition, activation },
        secrets: { signing: ['sealed'], former: [], formerAsymmetric: [] },
      },
    });
  }
}

/** A `subscription-state.v1` in memory. */
export class TestStates implements ConfigSource {
  readonly confirmedAt = Infinity;
  readonly alive = true;
  readonly states = new SubscriptionStates({ source: this });
  private onRecord: ((record: IncomingRecord) => void) | undefined;

  /** @returns states that were read: there are none */
  static async open(): Promise<TestStates> {
    const opened = new TestStates();
    await opened.states.start();
    return opened;
  }

  start(onRecord: (record: IncomingRecord) => void): Promise<void> {
    this.onRecord = onRecord;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Of a subscription that `TestCatalogue.subscribe` made. */
  stop(name: string, stopped: Omit<NonNullable<SubscriptionState['stopped']>, 'at' | 'reason'>): void {
    const state: SubscriptionState = {
      namespace: 'shop',
      subscription: name,
      uid: `uid-${name}`,
      activation: 1,
      at: STOPPED_AT,
      stopped: { ...stopped, at: STOPPED_AT, reason: 'For the reason of the test' },
    };
    this.onRecord?.(incoming(encodeSubscriptionState(topics.subscriptionState, state), 0));
  }
}

/** An assignment of a partition, as handlers see it. */
export class TestAssignment {
  private readonly ending = new AbortController();
  private current = true;

  readonly over = this.ending.signal;
  readonly isCurrent = (): boolean => this.current;

  constructor() {
    setMaxListeners(0, this.over);
  }

  /** Hand-over stops; what is under way goes on. */
  drain(): void {
    this.ending.abort();
  }

  /** The partition belongs to somebody else. */
  end(): void {
    this.current = false;
    this.ending.abort();
  }
}

export const STOPPED_AT = Date.UTC(2026, 0, 1);

export function incoming(record: OutgoingRecord, offset: number, partition = 0): IncomingRecord {
  return {
    topic: record.topic,
    partition,
    offset: BigInt(offset),
    timestamp: 0,
    key: record.key === null ? null : Buffer.from(record.key),
    value: record.value,
    headers: record.headers,
  };
}

export function eventOf(parts: Partial<EventRecord> = {}): EventRecord {
  return {
    namespace: 'shop',
    attributes: { id: 'e1', source: '/checkout', type: 'order.completed', extensions: {} },
    data: Buffer.from('{"total": 120.50}'),
    revision: 0,
    acceptedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    ...parts,
  };
}

export function recordOf(event: EventRecord, offset = 0, partition = 0): IncomingRecord {
  return incoming(encodeEvent(topics.events, event), offset, partition);
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
export const span = {
  traceId,
  context: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
  setAttribute: (): void => undefined,
};
