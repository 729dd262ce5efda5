import type {
  ApiKeyResource,
  ApiKeyRevocation,
  ConfigChange,
  EventTypeResource,
  LadderStep,
  NamespaceSpec,
  Resource,
  ResourceKind,
  SourceResource,
  SubscriptionResource,
} from '@quittance/contracts';
import { ApiKeyRing, type KnownApiKey } from './api-key-ring.js';
import {
  brokenEventType,
  compileEventType,
  uncheckedEventType,
  type CompiledEventType,
} from './event-type.js';
import { PatternIndex } from './event-pattern.js';
import { HomeIndex } from './home-index.js';
import { NamespaceRegistry } from './namespace-registry.js';
import { brokenSource, compileSource, type CompiledSource } from './source.js';
import { brokenSubscription, compileSubscription, type CompiledSubscription } from './subscription.js';

export interface ResourceStoreOptions {
  ladder: readonly LadderStep[];
  compileSchemas: boolean;
  /** A resource could not be compiled; its last good version stays, or it is kept as unusable. */
  onBroken: (kind: ResourceKind, namespace: string, name: string, problem: string) => void;
}

interface NamespaceSubscriptions {
  readonly byName: Map<string, CompiledSubscription>;
  readonly index: PatternIndex<CompiledSubscription>;
}

const NO_SUBSCRIPTIONS: readonly CompiledSubscription[] = [];

/** The resources of every namespace, compiled and indexed. */
export class ResourceStore {
  private readonly eventTypes = new Map<string, CompiledEventType>();
  private readonly subscriptions = new Map<string, NamespaceSubscriptions>();
  /** `namespace/name` of those whose last record could not be read: a later release may have written it. */
  private readonly unreadSubscriptions = new Set<string>();
  private readonly homes = new HomeIndex();
  private readonly sources = new Map<string, CompiledSource>();
  private readonly keys = new ApiKeyRing();
  private readonly namespaces = new NamespaceRegistry();

  constructor(private readonly options: ResourceStoreOptions) {}

  apply(change: Exclude<ConfigChange, { change: 'snapshot' }>): void {
    switch (change.change) {
      case 'put':
        this.put(change.resource);
        return;
      case 'delete':
        this.remove(change.kind, change.namespace, change.name);
        return;
      case 'revoke':
        this.keys.revoke(change.revocation);
        return;
      case 'settle-revocation':
        this.keys.settle(change.namespace, change.uid);
    }
  }

  eventType(namespace: string, name: string): CompiledEventType | undefined {
    return this.eventTypes.get(`${namespace}/${name}`);
  }

  subscriptionsFor(namespace: string, type: string): readonly CompiledSubscription[] {
    return this.subscriptions.get(namespace)?.index.find(type) ?? NO_SUBSCRIPTIONS;
  }

  subscription(namespace: string, name: string): CompiledSubscription | undefined {
    return this.subscriptions.get(namespace)?.byName.get(name);
  }

  subscriptionsAt(partition: number): ReadonlySet<CompiledSubscription> {
    return this.homes.at(partition);
  }

  *allSubscriptions(): Iterable<CompiledSubscription> {
    for (const { byName } of this.subscriptions.values()) yield* byName.values();
  }

  source(namespace: string, name: string): CompiledSource | undefined {
    return this.sources.get(`${namespace}/${name}`);
  }

  apiKey(credentialId: string): KnownApiKey | undefined {
    return this.keys.find(credentialId);
  }

  apiKeyNamed(namespace: string, name: string): ApiKeyResource | undefined {
    return this.keys.named(namespace, name);
  }

  revocations(): ApiKeyRevocation[] {
    return this.keys.revocations();
  }

  namespace(namespace: string): NamespaceSpec {
    return this.namespaces.spec(namespace);
  }

  knowsNamespace(namespace: string): boolean {
    return this.namespaces.has(namespace);
  }

  isNamespaceReadable(namespace: string): boolean {
    return this.namespaces.isReadable(namespace);
  }

  isSubscriptionReadable(namespace: string, name: string): boolean {
    return !this.unreadSubscriptions.has(`${namespace}/${name}`);
  }

  /** A record that could not be read. @param key `Kind/namespace/name` */
  noteUnread(key: string): void {
    const [kind, namespace, name] = key.split('/');
    if (namespace === undefined) return;
    if (kind === 'Namespace') this.namespaces.markUnread(namespace);
    if (kind === 'Subscription' && name !== undefined) this.unreadSubscriptions.add(`${namespace}/${name}`);
  }

  private put(resource: Resource): void {
    const { kind, metadata } = resource;
    this.namespaces.enter(kind, metadata.namespace, metadata.name);
    switch (kind) {
      case 'EventType':
        this.putEventType(resource);
        return;
      case 'Subscription':
        this.unreadSubscriptions.delete(`${metadata.namespace}/${metadata.name}`);
        this.putSubscription(resource);
        return;
      case 'Source':
        this.putSource(resource);
        return;
      case 'ApiKey':
        this.keys.put(resource);
        return;
      case 'Namespace':
        this.namespaces.put(resource);
    }
  }

  private remove(kind: ResourceKind, namespace: string, name: string): void {
    this.namespaces.leave(kind, namespace, name);
    switch (kind) {
      case 'EventType':
        this.eventTypes.delete(`${namespace}/${name}`);
        return;
      case 'Subscription':
        this.unreadSubscriptions.delete(`${namespace}/${name}`);
        this.removeSubscription(namespace, name);
        return;
      case 'Source':
        this.sources.delete(`${namespace}/${name}`);
        return;
      case 'ApiKey':
        this.keys.remove(namespace, name);
        return;
      case 'Namespace':
        this.namespaces.remove(name);
    }
  }

  private putEventType(resource: EventTypeResource): void {
    const compiled = this.compiled(
      resource,
      () => (this.options.compileSchemas ? compileEventType(resource) : uncheckedEventType(resource)),
      (problem) => brokenEventType(resource, problem),
      this.eventType(resource.metadata.namespace, resource.metadata.name),
    );
    this.eventTypes.set(`${resource.metadata.namespace}/${resource.metadata.name}`, compiled);
  }

  private putSource(resource: SourceResource): void {
    const compiled = this.compiled(
      resource,
      () => compileSource(resource),
      (problem) => brokenSource(resource, problem),
      this.source(resource.metadata.namespace, resource.metadata.name),
    );
    this.sources.set(`${resource.metadata.namespace}/${resource.metadata.name}`, compiled);
  }

  private putSubscription(resource: SubscriptionResource): void {
    const { namespace, name } = resource.metadata;
    const { ladder } = this.options;
    const known = this.subscription(namespace, name);
    const compiled = this.compiled(
      resource,
      () => compileSubscription(resource, ladder),
      (problem) => brokenSubscription(resource, ladder, problem),
      known,
    );
    if (compiled === known) return;
    this.removeSubscription(namespace, name);
    let own = this.subscriptions.get(namespace);
    if (own === undefined) {
      own = { byName: new Map(), index: new PatternIndex() };
      this.subscriptions.set(namespace, own);
    }
    own.byName.set(name, compiled);
    this.homes.add(compiled);
    own.index.add(compiled, resource.spec.events);
  }

  private removeSubscription(namespace: string, name: string): void {
    const own = this.subscriptions.get(namespace);
    const known = own?.byName.get(name);
    if (own === undefined || known === undefined) return;
    own.byName.delete(name);
    this.homes.remove(known);
    own.index.remove(known, known.resource.spec.events);
    if (own.byName.size === 0) this.subscriptions.delete(namespace);
  }

  /**
   * @param standIn what stands for a resource that does not compile
   * @param known the version in force; it stays when the new one does not compile, unless it is another resource's: one
   *   of another uid must not speak for this one
   */
  private compiled<T extends { readonly resource: Resource }>(
    resource: Resource,
    compile: () => T,
    standIn: (problem: string) => T,
    known: T | undefined,
  ): T {
    try {
      return compile();
    } catch (error) {
      const { namespace, name, uid } = resource.metadata;
      const problem = error instanceof Error ? error.message : 'unknown error';
      this.options.onBroken(resource.kind, namespace, name, problem);
      return known?.resource.metadata.uid === uid ? known : standIn(problem);
    }
  }
}
