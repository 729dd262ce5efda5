import { Catalogue, SubscriptionStates, type ConfigSource } from '@quittance/catalog';
import {
  API_VERSION,
  DEFAULT_LADDER,
  encodeConfigChange,
  encodeSubscriptionState,
  subscriptionSpec,
  Topics,
  type ConfigChange,
  type IncomingRecord,
  type OutgoingRecord,
  type StopCode,
} from '@quittance/contracts';
import { NAMESPACE, T0, uidOf } from '../ledger/story.fixture.js';

const topics = new Topics();

/** A compacted topic in memory. */
class MemoryTopic implements ConfigSource {
  confirmedAt = Infinity;
  readonly alive = true;
  private onRecord: ((record: IncomingRecord) => void) | undefined;
  private offset = 0n;

  start(onRecord: (record: IncomingRecord) => void): Promise<void> {
    this.onRecord = onRecord;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  write({ topic, key, value }: OutgoingRecord): void {
    const record = { topic, partition: 0, offset: this.offset++, timestamp: T0, headers: {} };
    this.onRecord?.({ ...record, key: Buffer.from(String(key)), value });
  }
}

/** What audit knows of subscriptions, from topics in memory. All are in the namespace of the ledger's stories. */
export class KnownSubscriptions {
  private readonly config = new MemoryTopic();
  private readonly stateTopic = new MemoryTopic();
  readonly catalogue = new Catalogue({
    source: this.config,
    stalenessMs: 200,
    ladder: DEFAULT_LADDER,
    compileSchemas: false,
  });
  readonly states = new SubscriptionStates({ source: this.stateTopic });
  private readonly activations = new Map<string, number>();
  private readonly skips = new Map<string, string>();

  static async open(): Promise<KnownSubscriptions> {
    const opened = new KnownSubscriptions();
    await opened.catalogue.start();
    await opened.states.start();
    opened.apply({ change: 'snapshot', at: '2026-01-01T00:00:00Z' });
    return opened;
  }

  /** Creates it, or replaces its spec. */
  add(name: string, spec: Record<string, unknown> = {}, uid = uidOf(name)): void {
    const at = new Date(T0).toISOString();
    const destination = { webhook: { url: 'http://127.0.0.1:9000/' } };
    this.apply({
      change: 'put',
      resource: {
        apiVersion: API_VERSION,
        kind: 'Subscription',
        metadata: {
          name,
          namespace: NAMESPACE,
          uid,
          labels: {},
          annotations: {},
          generation: 1,
          resourceVersion: '1',
          createdAt: at,
          updatedAt: at,
        },
        spec: subscriptionSpec.parse({ events: ['order.*'], destination, ...spec }),
        status: {
          state: 'active',
          partition: 3,
          activation: this.activations.get(name) ?? 1,
          skip: this.skips.get(name),
        },
        secrets: { signing: ['sealed'], former: [], formerAsymmetric: [] },
      },
    });
  }

  remove(name: string): void {
    this.apply({ change: 'delete', kind: 'Subscription', namespace: NAMESPACE, name });
  }

  /** As a release does that knows more than this one. */
  writeUnreadable(name: string): void {
    this.config.write({
      topic: topics.config,
      key: `Subscription/${NAMESPACE}/${name}`,
      value: Buffer.from('{"kind":"Subscription","spec":{"speaks":"what is not known yet"}}'),
      headers: {},
    });
  }

  /** As a dispatcher says it. */
  stop(name: string, code: StopCode, at = T0): void {
    const kind = code === 'gone' || code === 'failing' ? 'disabled' : 'suspended';
    this.stateTopic.write(
      encodeSubscriptionState(topics.subscriptionState, {
        namespace: NAMESPACE,
        subscription: name,
        uid: uidOf(name),
        activation: this.activations.get(name) ?? 1,
        at,
        stopped: { kind, at, code, reason: 'It was stopped by the spec.' },
      }),
    );
  }

  /** As control does. @param skip the delivery that is given up */
  resume(name: string, skip?: string): void {
    if (skip === undefined) this.skips.delete(name);
    else this.skips.set(name, skip);
    this.activations.set(name, (this.activations.get(name) ?? 1) + 1);
    this.add(name);
  }

  /** Whether what is known is new enough to be relied on. */
  setFresh(isFresh: boolean): void {
    this.config.confirmedAt = isFresh ? Infinity : -Infinity;
  }

  private apply(change: ConfigChange): void {
    this.config.write(encodeConfigChange(topics.config, change));
  }
}
