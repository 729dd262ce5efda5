import { setMaxListeners } from 'node:events';
import { Catalogue, SubscriptionStates, type ConfigSource } from '@quittance/catalog';
import {
  DEFAULT_LADDER,
  decodeSubscriptionState,
  encodeConfigChange,
  encodeDelivery,
  encodeSubscriptionState,
  Topics,
  type DeliveryRecord,
  type IncomingRecord,
  type OutgoingRecord,
  type SubscriptionResource,
  type SubscriptionState,
} from '@quittance/contracts';
import { NotStartedError, PublishError, type HandlerOutcome, type Published } from '@quittance/kafka';
import { Metrics } from '@quittance/service';
import { pino } from 'pino';
import { delivery, SETTINGS, subscriptionWith, type SubscriptionFacts } from '../guards/guard.fixture.js';
import { Guards } from '../guards/guards.js';
import { RecentAttempts } from '../guards/recent-attempts.js';
import { StateKeeper } from '../guards/state-keeper.js';
import { MoveWatch } from '../moving/move-watch.js';
import { StrictDeliverer } from '../ordering/strict-deliverer.js';
import { SubscriptionFinder } from '../subscriptions/subscription-finder.js';
import type { AttemptResult } from './attempt-result.js';
import { DeliveryHandler } from './delivery.handler.js';
import { DeliveryOutcomes } from './delivery-outcomes.js';
import { GuardedAttempt } from './guarded-attempt.js';
import { StoppedOutcomes } from './stopped-outcomes.js';

export const topics = new Topics('quittance.', DEFAULT_LADDER);
const HOME = 3;

export function incoming(record: OutgoingRecord, offset: number, partition = HOME): IncomingRecord {
  return {
    topic: record.topic,
    partition,
    offset: BigInt(offset),
    timestamp: 0,
    key: record.key === null ? null : Buffer.from(record.key),
    value: record.value,
    headers: Object.fromEntries(
      Object.entries(record.headers).map(([name, value]) => [name, Buffer.from(value)]),
    ),
  };
}

/** A topic in memory that is read as it is written. */
class TestTopic implements ConfigSource {
  readonly alive = true;
  /** Since when nothing is known of its end; `Infinity`: it is always known. */
  confirmedAt = Infinity;
  private onRecord: ((record: IncomingRecord) => void) | undefined;
  private offset = 0;

  start(onRecord: (record: IncomingRecord) => void): Promise<void> {
    this.onRecord = onRecord;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  write(record: OutgoingRecord): void {
    this.onRecord?.(incoming(record, this.offset++));
  }
}

/** An assignment of a partition. */
export class TestAssignment {
  private readonly ending = new AbortController();
  private current = true;
  readonly over = this.ending.signal;
  readonly isCurrent = (): boolean => this.current;

  constructor() {
    setMaxListeners(0, this.over);
  }

  drain(): void {
    this.ending.abort();
  }

  end(): void {
    this.current = false;
    this.drain();
  }
}

const FAILURE: AttemptResult = {
  attemptId: 'attempt',
  verdict: 'failed',
  isOutage: false,
  status: 400,
  durationMs: 5,
  error: { code: 'http_status', message: 'The subscriber answered 400.' },
};
export const REFUSED = (): AttemptResult => ({ ...FAILURE });
export const DELIVERED = (): AttemptResult => ({ ...FAILURE, verdict: 'success', status: 200, error: null });

export interface Request {
  id: string;
  attempt: number;
  answer(result: AttemptResult): void;
  fail(error: Error): void;
}

/** A dispatcher whose subscriber and Kafka are in the hands of the test. */
export class TestDispatcher {
  readonly config = new TestTopic();
  readonly learnt = new TestTopic();
  readonly catalogue = new Catalogue({
    source: this.config,
    stalenessMs: 1000,
    ladder: DEFAULT_LADDER,
    compileSchemas: false,
  });
  readonly states = new SubscriptionStates({ source: this.learnt });
  /** The requests that were made, in their order. */
  readonly requests: Request[] = [];
  /** The states that were saved. */
  readonly saved: SubscriptionState[] = [];
  /** What records were passed on as, in the order in which they were. */
  readonly onward: OutgoingRecord[] = [];
  isKafkaDown = false;
  committed: bigint | undefined;
  assignment = new TestAssignment();
  readonly guards: Guards;
  readonly moves: MoveWatch;
  private readonly handler: DeliveryHandler;

  private constructor() {
    const logger = pino({ level: 'silent' });
    const metrics = new Metrics('dispatcher');
    const publisher = { publish: (record: OutgoingRecord) => this.publish(record) };
    const keeper = new StateKeeper(publisher, this.states, topics, logger);
    this.guards = new Guards(this.catalogue, this.states, keeper, SETTINGS, logger, metrics);
    const outcomes = new DeliveryOutcomes(topics, this.catalogue, logger, metrics);
    const stops = new StoppedOutcomes(this.guards, outcomes);
    const attempt = (made: DeliveryRecord): Promise<AttemptResult> =>
      new Promise((answer, fail) =>
        this.requests.push({ id: made.deliveryId, attempt: made.attempt, answer, fail }),
      );
    const attempts = new GuardedAttempt({ attempt }, this.guards, topics);
    this.handler = new DeliveryHandler(
      new SubscriptionFinder(this.catalogue),
      this.guards,
      attempts,
      new StrictDeliverer(attempts, this.guards, outcomes, stops, publisher, topics),
      new RecentAttempts(),
      outcomes,
      stops,
    );
    const strategy = { committedOffset: () => this.committed };
    this.moves = new MoveWatch(this.catalogue, this.states, strategy, publisher, topics, logger);
  }

  static async open(facts: SubscriptionFacts = {}, status: Partial<SubscriptionResource['status']> = {}) {
    const opened = new TestDispatcher();
    await opened.catalogue.start();
    await opened.states.start();
    opened.config.write(
      encodeConfigChange(topics.config, { change: 'snapshot', at: '2026-01-01T00:00:00Z' }),
    );
    opened.put(facts, status);
    return opened;
  }

  put(facts: SubscriptionFacts = {}, status: Partial<SubscriptionResource['status']> = {}): void {
    const { resource } = subscriptionWith(facts);
    const changed = { ...resource, status: { ...resource.status, ...status } };
    this.config.write(encodeConfigChange(topics.config, { change: 'put', resource: changed }));
  }

  /** As a later release may write it. */
  putUnreadable(name: string): void {
    const value = Buffer.from('{"kind":"Subscription"}');
    this.config.write({ topic: topics.config, key: `Subscription/shop/${name}`, value, headers: {} });
  }

  remove(): void {
    const removal = { change: 'delete', kind: 'Subscription', namespace: 'shop', name: 'billing' } as const;
    this.config.write(encodeConfigChange(topics.config, removal));
  }

  /** As somebody else writes it. */
  teach(state: Partial<SubscriptionState>): void {
    const whole = {
      namespace: 'shop',
      subscription: 'billing',
      uid: 'uid-1',
      activation: 1,
      at: 1,
      ...state,
    };
    this.learnt.write(encodeSubscriptionState(topics.subscriptionState, whole));
  }

  /** @returns what became of it: an outcome, `given back`, or the error */
  async handle(id: string, offset: number, more: Partial<DeliveryRecord> = {}): Promise<unknown> {
    const made = { ...delivery(id), revision: 0, ...more };
    const record = incoming(encodeDelivery({ topic: topics.deliveries, partition: HOME }, made), offset);
    const { over, isCurrent } = this.assignment;
    const context = {
      topic: record.topic,
      partition: HOME,
      offset: record.offset,
      over,
      isCurrent,
      isDraining: () => over.aborted,
      signal: new AbortController().signal,
    };
    try {
      const outcome = await this.handler.handle(record, context);
      this.onward.push(...outcome.onward);
      return named(outcome);
    } catch (error) {
      return error instanceof NotStartedError ? 'given back' : error;
    }
  }

  private publish(record: OutgoingRecord): Promise<Published> {
    if (this.isKafkaDown) return Promise.reject(new PublishError('kafka_unavailable', 'It is down.'));
    if (record.topic === topics.subscriptionState) {
      const change = decodeSubscriptionState(incoming(record, 0));
      if (change.change === 'put') this.saved.push(change.state);
      this.learnt.write(record);
    }
    return Promise.resolve({ partition: 0, offset: 0n });
  }
}

/** The outcome's type in the ledger, or the topic of what is passed on, with its attempt. */
function named({ ledger, onward }: HandlerOutcome): string {
  const outcome = ledger[0]?.value;
  const type = outcome ? (JSON.parse(outcome.toString()) as { type: string }).type : undefined;
  const passed = onward.map(({ topic, partition, headers }) =>
    [topic.replace(/^quittance\./, ''), partition ?? '', headers['quittance-attempt']].join('#'),
  );
  return [type, ...passed].filter((part) => part !== undefined).join(' ');
}
