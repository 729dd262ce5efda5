import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import type { IncomingRecord, OutgoingRecord } from '@quittance/contracts';
import {
  done,
  KafkaAdmin,
  KafkaClient,
  KafkaPublisher,
  KafkaStrategy,
  type ConsumerGroup,
  type HandlerOutcome,
  type KafkaLog,
  type RecordContext,
} from '@quittance/kafka';

export interface LogLine {
  level: string;
  message: string;
  extra: Record<string, unknown>;
}

/** Topics, publishers and group members on the real broker, all closed in the end. */
export class KafkaFixture {
  readonly client: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly publisher: KafkaPublisher;
  readonly logs: LogLine[] = [];
  private readonly closers: (() => Promise<unknown>)[] = [];

  /** @param brokers by default the Kafka that all files share */
  constructor(brokers = inject('kafkaBrokers')) {
    const log: KafkaLog = (level, message, extra) => this.logs.push({ level, message, extra });
    this.client = new KafkaClient({ brokers: [brokers], clientId: 'test' }, log);
    this.admin = new KafkaAdmin(this.client);
    this.publisher = new KafkaPublisher(this.client);
  }

  async topic(partitions = 1, config: Record<string, string> = {}): Promise<string> {
    const name = `t-${randomUUID()}`;
    await this.admin.ensureTopics([{ name, partitions, config }]);
    return name;
  }

  /** Writes `count` records whose values are their indexes. */
  async fill(topic: string, count: number, partition = 0, from = 0): Promise<void> {
    await this.publisher.publishAll(
      Array.from({ length: count }, (_, index) => textRecord(topic, String(from + index), partition)),
    );
  }

  /** One member of a group that reads `topic` with `handler`. */
  async member(options: {
    groupId: string;
    topics: string[];
    handler: (record: IncomingRecord, context: RecordContext) => Promise<HandlerOutcome> | HandlerOutcome;
    deadLetterTopic?: string;
    group?: Partial<ConsumerGroup>;
    availableAt?: (record: IncomingRecord) => number;
    byteBudget?: number;
    drainTimeoutMs?: number;
  }): Promise<KafkaStrategy> {
    const strategy = new KafkaStrategy({
      client: this.client,
      publisher: this.publisher,
      deadLetterTopic: options.deadLetterTopic ?? 'none',
      ...(options.byteBudget === undefined ? {} : { byteBudget: options.byteBudget }),
      ...(options.drainTimeoutMs === undefined ? {} : { drainTimeoutMs: options.drainTimeoutMs }),
      groups: [
        {
          groupId: options.groupId,
          sessionTimeoutMs: 6000,
          ...options.group,
          sources: [
            {
              pattern: 'records',
              topics: options.topics,
              ...(options.availableAt ? { availableAt: options.availableAt } : {}),
            },
          ],
        },
      ],
    });
    strategy.addHandler(
      'records',
      (async (record: IncomingRecord, context: RecordContext) => options.handler(record, context)) as never,
      true,
    );
    await new Promise<void>((resolve, reject) => {
      strategy.listen((error) => (error ? reject(error as Error) : resolve()));
    });
    this.closers.push(() => strategy.close());
    return strategy;
  }

  onClose(close: () => Promise<unknown>): void {
    this.closers.push(close);
  }

  async close(): Promise<void> {
    await Promise.all(this.closers.map((close) => close()));
    await this.publisher.close();
    await this.admin.close();
  }
}

export function textRecord(topic: string, value: string, partition?: number): OutgoingRecord {
  return {
    topic,
    key: value,
    value: Buffer.from(value),
    headers: {},
    ...(partition === undefined ? {} : { partition }),
  };
}

export function valueOf(record: IncomingRecord): string {
  return record.value?.toString() ?? '';
}

/** Collects the values handled, as a handler that is done at once. */
export function collector(): { values: string[]; handler: (record: IncomingRecord) => HandlerOutcome } {
  const values: string[] = [];
  return {
    values,
    handler: (record) => {
      values.push(valueOf(record));
      return done();
    },
  };
}

/** A promise that the test settles. */
export function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Groups {
  findGroupCoordinator(group: { groupId: string }): Promise<{
    leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  }>;
}

/** What a broker does to a member that it has not heard of for too long. */
export async function throwOut(client: KafkaClient, groupId: string): Promise<void> {
  let cluster: Groups | undefined;
  const stranger = client.kafka.consumer({
    groupId: randomUUID(),
    partitionAssigners: [
      (config) => {
        cluster = (config as unknown as { cluster: Groups }).cluster;
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  await stranger.connect();
  const admin = client.kafka.admin();
  await admin.connect();
  const { groups } = await admin.describeGroups([groupId]);
  const coordinator = await cluster!.findGroupCoordinator({ groupId });
  for (const { memberId } of groups[0]!.members) await coordinator.leaveGroup({ groupId, memberId });
  await admin.disconnect();
  await stranger.disconnect();
}
