import {
  decodeSubscriptionState,
  subscriptionKey,
  type IncomingRecord,
  type SubscriptionResource,
  type SubscriptionState,
} from '@quittance/contracts';
import type { ConfigSource } from './config-source.js';

export interface SubscriptionStatesOptions {
  /** `subscription-state.v1`. */
  source: ConfigSource;
  /** A record was not taken over. */
  onProblem?: (key: string, message: string) => void;
}

/** What dispatchers learnt of subscriptions, in memory, as it stands in `subscription-state.v1`. */
export class SubscriptionStates {
  private readonly states = new Map<string, SubscriptionState>();
  private read = false;

  constructor(private readonly options: SubscriptionStatesOptions) {}

  /** Resolves once everything that stood in the topic was read. */
  async start(): Promise<void> {
    await this.options.source.start((record) => this.apply(record));
    this.read = true;
  }

  async close(): Promise<void> {
    await this.options.source.close();
  }

  /** Everything was read once. */
  get ready(): boolean {
    return this.read;
  }

  /** False once nothing will be read any more. */
  get alive(): boolean {
    return this.options.source.alive;
  }

  /** `performance.now()` of when the last fetch that reached the end of the topic began; 0 before any. */
  get confirmedAt(): number {
    return this.options.source.confirmedAt;
  }

  /**
   * What counts of it for this resource. Nothing of another resource of the same name does; and of what was learnt before
   * the resource was last resumed only what says nothing about its being stopped.
   */
  of(resource: SubscriptionResource): SubscriptionState | undefined {
    const { namespace, name, uid } = resource.metadata;
    const state = this.states.get(subscriptionKey(namespace, name));
    if (state?.uid !== uid) return undefined;
    const { activation } = resource.status;
    if (state.activation >= activation) return state;
    const { stopped: _s, failingSince: _f, breaker: _b, head: _h, ...kept } = state;
    return { ...kept, activation };
  }

  /** All of them, as they were written: of deleted subscriptions too. */
  all(): Iterable<SubscriptionState> {
    return this.states.values();
  }

  private apply(record: IncomingRecord): void {
    try {
      const change = decodeSubscriptionState(record);
      if (change.change === 'put') {
        this.states.set(subscriptionKey(change.state.namespace, change.state.subscription), change.state);
      } else this.states.delete(subscriptionKey(change.namespace, change.subscription));
    } catch (error) {
      this.options.onProblem?.(
        record.key?.toString() ?? '',
        error instanceof Error ? error.message : 'unknown error',
      );
    }
  }
}
