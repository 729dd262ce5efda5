import {
  decodeEvent,
  decodeOutcome,
  Topics,
  type IncomingRecord,
  type OutgoingRecord,
} from '@quittance/contracts';
import { PublishError, type Published } from '@quittance/kafka';
import { AUDIT_SCHEMA, Database } from '@quittance/persistence';
import { createLogger, Metrics } from '@quittance/service';
import { waitUntil } from '@quittance/testing';
import { Pool } from 'pg';
import type { Logger } from 'pino';
import { AuditApi } from '../audit-api.fixture.js';
import { EMPTY_LEDGER } from '../ledger/ledger-database.fixture.js';
import { writeFacts, type Fact } from '../ledger/story.fixture.js';
import { EventReplay } from './event-replay.js';
import { HeldWatch } from './held-watch.js';
import { ReplayRunner } from './replay-runner.js';
import { ReplaySteps } from './replay-steps.js';
import { Standings } from './standings.js';
import type { ReplayView } from './views.js';

const topics = new Topics();

/** What an instance wrote to `events.v1`: `event>subscription`, with `?` where patterns and filter decide, `!` of a sample. */
export type Sent = string;

export interface AuditInstance {
  /** How it is called in Postgres. */
  readonly name: string;
  readonly runner: ReplayRunner;
  readonly watch: HeldWatch;
  readonly metrics: Metrics;
}

export interface AuditInstanceOptions {
  /** Happens after Kafka has acknowledged a batch. */
  onPublished?: () => Promise<unknown>;
  hasLedgerArrived?: () => boolean | Promise<boolean>;
  probeIntervalMs?: number;
  logger?: Logger;
}

/** The API over a real ledger, and any number of instances that work on its replays. Only Kafka is a list. */
export class ReplayInstallation {
  readonly sent: Sent[] = [];
  /** Outcomes that were written: `type event code`. */
  readonly outcomes: string[] = [];
  kafkaIsDown = false;
  private readonly pools: Database[] = [];

  private constructor(
    readonly api: AuditApi,
    /** Of the server's superuser. */
    readonly admin: Pool,
  ) {}

  static async start(): Promise<ReplayInstallation> {
    const api = await AuditApi.start();
    const admin = new Pool({ connectionString: api.database.server.url, max: 2 });
    admin.on('error', () => undefined);
    return new ReplayInstallation(api, admin);
  }

  async close(): Promise<void> {
    await this.admin.end();
    await Promise.all(this.pools.map((pool) => pool.close()));
    await this.api.close();
  }

  async empty(): Promise<void> {
    await this.admin.query(EMPTY_LEDGER);
    this.sent.length = 0;
    this.outcomes.length = 0;
    this.kafkaIsDown = false;
  }

  async write(facts: readonly Fact[]): Promise<void> {
    await Promise.all(writeFacts(this.api.writer, facts));
  }

  /** With connections of its own, as in a process of its own. */
  async instance(options: AuditInstanceOptions = {}): Promise<AuditInstance> {
    const name = `audit-${this.pools.length}`;
    const url = this.api.database.server.urlOf('quittance_audit', 'secret');
    const pool = new Database({ url, ...AUDIT_SCHEMA, poolSize: 2, applicationName: name });
    this.pools.push(pool);
    pool.start();
    await waitUntil(() => pool.health.ready, { what: 'the database' });
    const { catalogue, states } = this.api.subscriptions;
    const publisher = {
      publishAll: async (records: readonly OutgoingRecord[]): Promise<Published[]> => {
        if (this.kafkaIsDown) throw new PublishError('kafka_unavailable', 'Kafka is gone.');
        for (const record of records) this.note(record);
        await options.onPublished?.();
        return records.map((_record, index) => ({ partition: 0, offset: BigInt(index) }));
      },
    };
    const progress = {
      fence: () => Promise.resolve({ 'quittance.events.v1': { 0: '7' } }),
      hasReached: async () => (await options.hasLedgerArrived?.()) ?? true,
    };
    const standings = new Standings(catalogue, states);
    const events = new EventReplay(catalogue, publisher, topics);
    const steps = new ReplaySteps(standings, progress, events, publisher, topics);
    const logger = options.logger ?? createLogger({ service: 'audit', version: '0', level: 'silent' });
    const metrics = new Metrics('audit');
    const runner = new ReplayRunner(pool, standings, steps, metrics, logger);
    const interval = options.probeIntervalMs ?? 300_000;
    const watch = new HeldWatch(pool, standings, runner, publisher, topics, interval, logger);
    return { name, runner, watch, metrics };
  }

  /** What a process does that dies: its connections end, and their transactions with them. */
  async kill({ name }: Pick<AuditInstance, 'name'>): Promise<void> {
    await this.admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`,
      [name],
    );
  }

  async recover(subscription: string, body: Record<string, unknown>): Promise<ReplayView> {
    const answer = await this.api.call<ReplayView>(`subscriptions/${subscription}/replays`, {
      method: 'POST',
      json: body,
    });
    if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  }

  async replays(subscription: string): Promise<ReplayView[]> {
    const answer = await this.api.call<{ items: ReplayView[] }>(`subscriptions/${subscription}/replays`);
    return answer.body.items;
  }

  async replay(subscription: string, id: string): Promise<ReplayView> {
    return (await this.api.call<ReplayView>(`subscriptions/${subscription}/replays/${id}`)).body;
  }

  /** Goes on until no replay of the subscription is under way. */
  async finish({ runner }: Pick<AuditInstance, 'runner'>, subscription: string): Promise<ReplayView[]> {
    let replays: ReplayView[] = [];
    await waitUntil(
      async () => {
        await runner.round();
        replays = await this.replays(subscription);
        return replays.every(({ state }) => state !== 'running');
      },
      { what: 'the replays to end' },
    );
    return replays;
  }

  async stateOf(event: string, subscription: string): Promise<string | undefined> {
    return (await this.api.deliveryOf(event, subscription))?.state;
  }

  private note(record: OutgoingRecord): void {
    const incoming = { ...record, partition: 0, offset: 0n, timestamp: 0 } as unknown as IncomingRecord;
    if (record.topic === topics.outcomes) {
      const outcome = decodeOutcome(incoming);
      if (outcome.type === 'dead') this.outcomes.push(`dead ${outcome.eventId} ${outcome.error.code}`);
      return;
    }
    const { attributes, replay, test } = decodeEvent(incoming);
    const marks = `${replay?.filtered ? '?' : ''}${test ? '!' : ''}`;
    this.sent.push(`${attributes.id}>${replay?.subscription}${marks}`);
  }
}
