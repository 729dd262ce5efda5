import type {
  ApiKeyResource,
  ConfigChange,
  EventTypeResource,
  LadderStep,
  Resource,
  ResourceKind,
  SubscriptionResource,
} from '@quittance/contracts';
import {
  brokenEventType,
  compileEventType,
  uncheckedEventType,
  type CompiledEventType,
} from './event-type.js';
import { PatternIndex } from './event-pattern.js';
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
  private readonly keysByName = new Map<string, ApiKeyResource>();
  private readonly keysById = new Map<string, ApiKeyResource>();

  constructor(private readonly options: ResourceStoreOptions) {}

  apply(change: Exclude<ConfigChange, { change: 'snapshot' }>): void {
    if (change.change === 'put') this.put(change.resource);
    else if (change.change === 'delete') this.remove(change.kind, change.namespace, change.name);
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

  apiKey(id: string): ApiKeyResource | undefined {
    return this.keysById.get(id);
  }

  private put(resource: Resource): void {
    switch (resource.kind) {
      case 'EventType':
        this.putEventType(resource);
        return;
      case 'Subscription':
        this.putSubscription(resource);
        return;
      case 'ApiKey':
        this.putApiKey(resource);
    }
  }

  private remove(kind: ResourceKind, namespace: string, name: string): void {
    switch (kind) {
      case 'EventType':
        this.eventTypes.delete(`${namespace}/${name}`);
        return;
      case 'Subscription':
        this.removeSubscription(namespace, name);
        return;
      case 'ApiKey': {
        const known = this.keysByName.get(`${namespace}/${name}`);
        if (known) this.keysById.delete(known.credential.id);
        this.keysByName.delete(`${namespace}/${name}`);
      }
    }
  }

  private putEventType(resource: EventTypeResource): void {
    const { namespace, name } = resource.metadata;
    const key = `${namespace}/${name}`;
    if (!this.options.compileSchemas) {
      this.eventTypes.set(key, uncheckedEventType(resource));
      return;
    }
    try {
      this.eventTypes.set(key, compileEventType(resource));
    } catch (error) {
      const problem = messageOf(error);
      this.options.onBroken('EventType', namespace, name, problem);
      if (!this.eventTypes.has(key)) this.eventTypes.set(key, brokenEventType(resource, problem));
    }
  }

  private putSubscription(resource: SubscriptionResource): void {
    const { namespace, name } = resource.metadata;
    let compiled: CompiledSubscription;
    try {
      compiled = compileSubscription(resource, this.options.ladder);
    } catch (error) {
      const problem = messageOf(error);
      this.options.onBroken('Subscription', namespace, name, problem);
      // Another uid is another subscription: the earlier one's version must not speak for it.
      const known = this.subscription(namespace, name);
      if (known?.resource.metadata.uid === resource.metadata.uid) return;
      compiled = brokenSubscription(resource, this.options.ladder, problem);
    }
    this.removeSubscription(namespace, name);
    let own = this.subscriptions.get(namespace);
    if (own === undefined) {
      own = { byName: new Map(), index: new PatternIndex() };
      this.subscriptions.set(namespace, own);
    }
    own.byName.set(name, compiled);
    own.index.add(compiled, resource.spec.events);
  }

  private removeSubscription(namespace: string, name: string): void {
    const own = this.subscriptions.get(namespace);
    const known = own?.byName.get(name);
    if (own === undefined || known === undefined) return;
    own.byName.delete(name);
    own.index.remove(known, known.resource.spec.events);
    if (own.byName.size === 0) this.subscriptions.delete(namespace);
  }

  private putApiKey(resource: ApiKeyResource): void {
    const { namespace, name } = resource.metadata;
    this.remove('ApiKey', namespace, name);
    this.keysByName.set(`${namespace}/${name}`, resource);
    this.keysById.set(resource.credential.id, resource);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}
