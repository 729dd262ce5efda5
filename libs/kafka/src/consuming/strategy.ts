import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { IncomingRecord } from '@quittance/contracts';
import type { KafkaClient } from '../kafka-client.js';
import type { KafkaPublisher } from '../publishing/publisher.js';
import { ByteBudget } from './byte-budget.js';
import { GroupConsumer, type GroupHealth } from './group-consumer.js';
import type { HandlerOutcome } from './handler-outcome.js';
import { RecordRunner, type RecordHandler } from './record-runner.js';
import type { TopicPartition } from './topic-partitions.js';

/** Topics whose records one handler takes. */
export interface RecordSource {
  /** The handler's `@EventPattern(…)`. */
  pattern: string;
  topics: readonly string[];
  /** When a record may be handed over, epoch milliseconds. Must rise within a topic. Default: at once. */
  availableAt?: (record: IncomingRecord) => number;
}

export interface ConsumerGroup {
  groupId: string;
  sources: readonly RecordSource[];
  /** How many records of a partition a crash can repeat, at most. Default 1,000. */
  windowSpan?: number;
  /** How many records of a partition handlers may have at a time; asked often. Default: as the window allows. */
  mostHandled?: (partition: TopicPartition) => number;
  /** Longest wait of a fetch, ms. Default 100. */
  maxWaitTimeMs?: number;
  /** A fetch that finds less waits for more, up to `maxWaitTimeMs`. Default 1. */
  minBytes?: number;
  /** After this much silence a member counts as dead, ms. Default 10,000. */
  sessionTimeoutMs?: number;
  /** How long a partition that goes to another member waits for what is in flight of it, ms. Default 3,000. */
  rebalanceDrainMs?: number;
}

export interface KafkaStrategyOptions {
  client: KafkaClient;
  publisher: Pick<KafkaPublisher, 'publishAll'>;
  deadLetterTopic: string;
  groups: readonly ConsumerGroup[];
  /** Record bytes in flight in this process. Default 256 MiB. */
  byteBudget?: number;
  /** How long `close` waits for what is in flight, ms. Default 20,000. */
  drainTimeoutMs?: number;
}

const DEFAULT_BYTE_BUDGET = 256 * 1024 * 1024;
const DEFAULT_DRAIN_TIMEOUT_MS = 20_000;
const FIRST_START_PAUSE_MS = 500;
const LONGEST_START_PAUSE_MS = 5000;

/**
 * Nest's transport for Kafka: handlers are ordinary `@EventPattern` methods that get an `IncomingRecord` and
 * a `RecordContext` and return a `HandlerOutcome`. Unlike Nest's own, it takes many records at once, leaves
 * bytes alone, and finishes an offset only after what follows from the record is acknowledged.
 */
export class KafkaStrategy extends Server implements CustomTransportStrategy {
  private readonly consumers: GroupConsumer[] = [];
  private readonly abort = new AbortController();
  private readonly runner: RecordRunner;
  private readonly budget: ByteBudget;
  private draining = false;
  private started = false;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: KafkaStrategyOptions) {
    super();
    this.budget = new ByteBudget(options.byteBudget ?? DEFAULT_BYTE_BUDGET);
    this.runner = new RecordRunner({
      publisher: options.publisher,
      deadLetterTopic: options.deadLetterTopic,
      log: options.client.log,
      signal: this.abort.signal,
    });
  }

  /** Called by Nest. Kafka may be unreachable: it is tried until it is there, and `health` says so meanwhile. */
  listen(callback: (error?: unknown) => void): void {
    try {
      for (const group of this.options.groups) this.consumers.push(this.consumer(group));
    } catch (error) {
      callback(error);
      return;
    }
    for (const consumer of this.consumers) void this.startUntilItWorks(consumer);
    this.started = true;
    callback();
  }

  /** Called by Nest: takes nothing new, waits for what is in flight, commits, then leaves the groups. */
  close(): Promise<void> {
    this.closing ??= this.drainAndLeave();
    return this.closing;
  }

  private async drainAndLeave(): Promise<void> {
    this.draining = true;
    const timeout = setTimeout(
      () => this.abort.abort(new Error('The time for draining is up.')),
      this.options.drainTimeoutMs ?? DEFAULT_DRAIN_TIMEOUT_MS,
    );
    const isUp = new Promise<void>((resolve) => {
      this.abort.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([Promise.all(this.consumers.map((consumer) => consumer.drain())), isUp]);
    clearTimeout(timeout);
    await Promise.all(this.consumers.map((consumer) => consumer.stop().catch(() => undefined)));
  }

  health(): GroupHealth {
    const all = this.consumers.map((consumer) => consumer.health());
    return {
      alive: all.every((health) => health.alive),
      joined: this.started && all.every((health) => health.joined),
      partitions: all.reduce((sum, health) => sum + health.partitions, 0),
      inFlight: all.reduce((sum, health) => sum + health.inFlight, 0),
    };
  }

  /**
   * What Kafka has as committed for a partition that is assigned to this process now; where nothing was ever
   * committed, where reading begins.
   * @returns `undefined` when the partition is not ours now, or it is not known yet
   */
  committedOffset(groupId: string, topic: string, partition: number): bigint | undefined {
    return this.consumers.find((consumer) => consumer.groupId === groupId)?.committedOffset(topic, partition);
  }

  /** Required by Nest; there are no events of this transport to listen to. */
  override on(): never {
    throw new Error('The Kafka transport has no events of its own; use health().');
  }

  override unwrap<T>(): T {
    return this.consumers as T;
  }

  private consumer(group: ConsumerGroup): GroupConsumer {
    const handlers = new Map<string, RecordHandler>();
    const availableAt = new Map<string, (record: IncomingRecord) => number>();
    for (const source of group.sources) {
      const handler = this.handlerOf(source.pattern);
      for (const topic of source.topics) {
        handlers.set(topic, handler);
        if (source.availableAt) availableAt.set(topic, source.availableAt);
      }
    }
    return new GroupConsumer({
      client: this.options.client,
      groupId: group.groupId,
      topics: [...handlers.keys()],
      availableAt,
      budget: this.budget,
      start: (record, partition) => void this.runner.run(record, partition, handlers.get(record.topic)!),
      windowSpan: group.windowSpan,
      mostHandled: group.mostHandled,
      maxWaitTimeMs: group.maxWaitTimeMs,
      minBytes: group.minBytes,
      sessionTimeoutMs: group.sessionTimeoutMs,
      rebalanceDrainMs: group.rebalanceDrainMs,
    });
  }

  private handlerOf(pattern: string): RecordHandler {
    const handler = this.getHandlerByPattern(pattern);
    if (!handler) throw new Error(`No controller has a handler @EventPattern('${pattern}').`);
    return async (record, context) => {
      const result: unknown = await handler(record, context);
      return (isObservable(result) ? await lastValueFrom(result) : result) as HandlerOutcome;
    };
  }

  private async startUntilItWorks(consumer: GroupConsumer): Promise<void> {
    for (
      let pause = FIRST_START_PAUSE_MS;
      !this.draining;
      pause = Math.min(pause * 2, LONGEST_START_PAUSE_MS)
    ) {
      try {
        await consumer.start();
        return;
      } catch (error) {
        this.options.client.log('warn', 'The consumer could not start; trying again.', {
          error: error instanceof Error ? error.message : String(error),
        });
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }
}
