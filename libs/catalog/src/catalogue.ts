import {
  decodeConfigChange,
  type ApiKeyResource,
  type ApiKeyRevocation,
  type ConfigChange,
  type IncomingRecord,
  type LadderStep,
  type NamespaceSpec,
} from '@quittance/contracts';
import type { KnownApiKey } from './api-key-ring.js';
import type { ConfigSource } from './config-source.js';
import type { CompiledEventType } from './event-type.js';
import { Freshness } from './freshness.js';
import { ResourceStore } from './resource-store.js';
import type { CompiledSource } from './source.js';
import type { CompiledSubscription } from './subscription.js';
import { Waiters } from './waiters.js';

/** The catalogue is behind what the caller needs. Trying again helps as soon as Kafka can be read. */
export class CatalogueBehindError extends Error {
  readonly code = 'catalogue_behind';
  readonly retryable = true;
}

/** A record of `config.v1` that was not taken over. */
export interface CatalogueProblem {
  /** `Kind/namespace/name`. */
  key: string;
  offset: bigint;
  message: string;
}

export interface CatalogueOptions {
  source: ConfigSource;
  /** How long after its beginning the last completed fetch still counts as "now", in milliseconds. */
  stalenessMs: number;
  ladder: readonly LadderStep[];
  /** False for a service that never validates: JSON Schemas take time and memory. Default true. */
  compileSchemas?: boolean;
  onProblem?: (problem: CatalogueProblem) => void;
}

/** Compiling at the start makes way for timers and probes this often. */
const APPLY_AT_ONCE = 100;
/** Begins the keys of revocations on `config.v1`. */
const REVOCATION_PREFIX = 'ApiKeyRevocation/';

/** The configuration in memory, compiled, as of {@link Catalogue.revision}. */
export class Catalogue {
  private readonly store: ResourceStore;
  private readonly revisionWaiters = new Waiters();
  private readonly freshness: Freshness;
  /** While the topic is first read, its last record per key: earlier ones need not be compiled. */
  private pending: Map<string, IncomingRecord> | undefined = new Map();
  private applied = -1;
  private current: IncomingRecord | undefined;
  private snapshotSeen = false;
  private invalid = 0;
  private closed = false;

  constructor(private readonly options: CatalogueOptions) {
    this.freshness = new Freshness(options.source, options.stalenessMs);
    this.store = new ResourceStore({
      ladder: options.ladder,
      compileSchemas: options.compileSchemas ?? true,
      onBroken: (_kind, _namespace, _name, problem) => this.reportProblem(problem),
    });
  }

  /** Resolves once everything that stood in the topic is compiled. */
  async start(): Promise<void> {
    await this.options.source.start((record) => {
      if (this.pending === undefined) {
        this.apply(record);
        return;
      }
      const key = record.key?.toString() ?? '';
      this.pending.delete(key);
      this.pending.set(key, record);
    });
    await this.applyPending();
  }

  async close(): Promise<void> {
    this.closed = true;
    const error = new CatalogueBehindError('The service is shutting down.');
    this.revisionWaiters.rejectAll(error);
    this.freshness.close(error);
    await this.options.source.close();
  }

  /** The offset of the last change applied; -1 before any. */
  get revision(): number {
    return this.applied;
  }

  /** Everything was read once, a snapshot marker included. */
  get ready(): boolean {
    return this.pending === undefined && this.snapshotSeen;
  }

  /** False once nothing will be read any more: the process should end. */
  get alive(): boolean {
    return this.options.source.alive;
  }

  /** Records that could not be taken over since the start. */
  get invalidRecords(): number {
    return this.invalid;
  }

  /** True when every change acknowledged `stalenessMs` ago is applied. */
  isFresh(): boolean {
    return this.freshness.isFresh;
  }

  /**
   * Resolves at once when the catalogue is fresh.
   * @throws CatalogueBehindError after `timeoutMs`
   */
  whenFresh(timeoutMs: number): Promise<void> {
    if (this.closed && !this.isFresh()) return Promise.reject(this.behind('is shutting down'));
    return this.freshness.wait(timeoutMs, () => this.behind('has not been confirmed by Kafka'));
  }

  /**
   * False until everything was read once: only the last record of each key is applied then, so a resource that stood
   * there at `revision` may still be to come.
   */
  isAt(revision: number): boolean {
    return this.pending === undefined && this.applied >= revision;
  }

  /**
   * Resolves at once when the revision is already applied.
   * @throws CatalogueBehindError after `timeoutMs`
   */
  whenAt(revision: number, timeoutMs: number): Promise<void> {
    if (this.isAt(revision)) return Promise.resolve();
    if (this.closed) return Promise.reject(this.behind('is shutting down'));
    return this.revisionWaiters.wait(revision, timeoutMs, () =>
      this.behind(`has not reached revision ${revision}`),
    );
  }

  eventType(namespace: string, name: string): CompiledEventType | undefined {
    return this.store.eventType(namespace, name);
  }

  /** The subscriptions of the namespace whose patterns want the type, in order of name. */
  subscriptionsFor(namespace: string, type: string): readonly CompiledSubscription[] {
    return this.store.subscriptionsFor(namespace, type);
  }

  subscription(namespace: string, name: string): CompiledSubscription | undefined {
    return this.store.subscription(namespace, name);
  }

  /**
   * False when the last record of that name could not be read: {@link subscription} then tells of an earlier one, or of
   * none, and neither means that it is so now.
   */
  isSubscriptionReadable(namespace: string, name: string): boolean {
    return this.store.isSubscriptionReadable(namespace, name);
  }

  /** Those whose home on `deliveries.v1` the partition is, or was until a move that is not over yet. */
  subscriptionsAt(partition: number): ReadonlySet<CompiledSubscription> {
    return this.store.subscriptionsAt(partition);
  }

  /** Those of all namespaces. */
  allSubscriptions(): Iterable<CompiledSubscription> {
    return this.store.allSubscriptions();
  }

  source(namespace: string, name: string): CompiledSource | undefined {
    return this.store.source(namespace, name);
  }

  /** What holds in the namespace: its resource's spec, or the defaults where there is none. */
  namespace(namespace: string): NamespaceSpec {
    return this.store.namespace(namespace);
  }

  /** True when there is a resource of any kind in the namespace, or one that describes it. */
  knowsNamespace(namespace: string): boolean {
    return this.store.knowsNamespace(namespace);
  }

  /** False when the record that describes the namespace could not be read: {@link namespace} then tells less than holds. */
  isNamespaceReadable(namespace: string): boolean {
    return this.store.isNamespaceReadable(namespace);
  }

  /** @param credentialId the `<id>` of `qk_<id>_<secret>`; those of rotated keys are found too */
  apiKey(credentialId: string): KnownApiKey | undefined {
    return this.store.apiKey(credentialId);
  }

  /** The key's own record: what it says of being revoked does not take {@link revocations} into account. */
  apiKeyNamed(namespace: string, name: string): ApiKeyResource | undefined {
    return this.store.apiKeyNamed(namespace, name);
  }

  /** The emergency revocations that are not settled yet. */
  revocations(): ApiKeyRevocation[] {
    return this.store.revocations();
  }

  private async applyPending(): Promise<void> {
    this.applyRevocations();
    while (this.pending !== undefined && this.pending.size > 0) {
      // What arrives meanwhile joins the end of the map, so the order of the topic is kept.
      let count = 0;
      for (const [key, record] of this.pending) {
        this.pending.delete(key);
        this.apply(record);
        if (++count >= APPLY_AT_ONCE) break;
      }
      await new Promise(setImmediate);
    }
    this.pending = undefined;
    this.revisionWaiters.advance(this.applied);
  }

  /** First of all: no key may work for the moment between its own record and that of its revocation. */
  private applyRevocations(): void {
    for (const [key, record] of this.pending ?? []) {
      if (!key.startsWith(REVOCATION_PREFIX)) continue;
      this.pending?.delete(key);
      this.apply(record);
    }
  }

  private apply(record: IncomingRecord): void {
    this.current = record;
    const change = this.decode(record);
    if (change?.change === 'snapshot') this.snapshotSeen = true;
    else if (change !== undefined) this.store.apply(change);
    // A record that was not understood counts too: waiting for it to become understood would wait for ever.
    this.applied = Math.max(this.applied, Number(record.offset));
    if (this.pending === undefined) this.revisionWaiters.advance(this.applied);
  }

  private decode(record: IncomingRecord): ConfigChange | undefined {
    try {
      return decodeConfigChange(record);
    } catch (error) {
      this.store.noteUnread(record.key?.toString() ?? '');
      this.reportProblem(error instanceof Error ? error.message : 'unknown error');
      return undefined;
    }
  }

  private reportProblem(message: string): void {
    this.invalid++;
    const key = this.current?.key?.toString() ?? '';
    this.options.onProblem?.({ key, offset: this.current?.offset ?? -1n, message });
  }

  private behind(how: string): CatalogueBehindError {
    return new CatalogueBehindError(`The configuration in memory ${how} in time: Kafka may be slow or gone.`);
  }
}
