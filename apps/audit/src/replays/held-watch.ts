import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Topics } from '@quittance/contracts';
import { KafkaPublisher, PublishError } from '@quittance/kafka';
import { LOCK_SPACE, StoreError, type Database } from '@quittance/persistence';
import { LOGGER } from '@quittance/service';
import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import { REPLAY_DATABASE } from '../databases.js';
import { buryHeld } from './burial.js';
import { settledBefore } from './collecting.js';
import {
  beginHeldReplay,
  beginProbe,
  deliveriesHeldFor,
  subscriptionsWithHeld,
  type HeldFor,
} from './held-deliveries.js';
import { ReplayRunner } from './replay-runner.js';
import { isUnreachable } from './replay-steps.js';
import { Standings, type Standing } from './standings.js';

const INTERVAL_MS = 1_000;
/** How often it is asked whether a probe is due: this part of the interval between two. */
const PROBE_CHECK_SHARE = 10;

/** How often an unreachable subscriber is asked whether it answers again, in milliseconds. */
export const PROBE_INTERVAL = Symbol('PROBE_INTERVAL');

/**
 * Sees to it that nothing is held for a subscription that is active. It looks at how things stand, not at what happened:
 * so a resumption cannot be missed.
 */
@Injectable()
export class HeldWatch implements OnModuleDestroy {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  /** Of unreachable subscribers, of which there may be many: `performance.now()` of when it was asked last. */
  private probeChecks = new Map<string, number>();

  constructor(
    @Inject(REPLAY_DATABASE) private readonly database: Database,
    @Inject(Standings) private readonly standings: Standings,
    @Inject(ReplayRunner) private readonly runner: Pick<ReplayRunner, 'wake'>,
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publishAll'>,
    @Inject(Topics) private readonly topics: Topics,
    @Inject(PROBE_INTERVAL) private readonly probeIntervalMs: number,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  start(): void {
    this.running ??= this.repeat();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /**
   * Begins what is to be begun now, for each subscription in a transaction of its own: what it keeps locked until its end
   * keeps the ledger from being written, and Kafka is asked in between.
   * @throws PublishError, StoreError
   */
  async look(): Promise<void> {
    const checks = new Map<string, number>();
    let unpublished: PublishError | undefined;
    if (!this.standings.areFresh) return;
    for (const held of await this.database.run(subscriptionsWithHeld)) {
      if (this.stopping.signal.aborted || !this.standings.areFresh) return;
      const standing = this.standings.of(held.namespace, held.subscription, held.subscriptionUid);
      if (!this.isConcern(held, standing, checks)) continue;
      // Only burials need Kafka: without it they need not be tried, and nobody else waits for them.
      if (unpublished && standing.kind === 'gone') continue;
      try {
        const hasBegun = await this.database.transaction((manager) => this.settle(manager, held, standing));
        if (hasBegun) this.runner.wake();
      } catch (error) {
        if (!(error instanceof PublishError)) throw error;
        unpublished = error;
      }
    }
    this.probeChecks = checks;
    if (unpublished) throw unpublished;
  }

  /** Whether anything may be done about it now. @param checks of this look; what is known of the last one is carried on */
  private isConcern({ subscriptionUid }: HeldFor, standing: Standing, checks: Map<string, number>): boolean {
    if (standing.kind === 'active' || standing.kind === 'gone') return true;
    if (!isUnreachable(standing)) return false;
    const now = performance.now();
    const checked = this.probeChecks.get(subscriptionUid);
    const isChecked = checked !== undefined && now - checked < this.probeIntervalMs / PROBE_CHECK_SHARE;
    checks.set(subscriptionUid, isChecked ? checked : now);
    return !isChecked;
  }

  /** One instance at a time. @returns whether a replay was begun */
  private async settle(manager: EntityManager, held: HeldFor, standing: Standing): Promise<boolean> {
    const [row] = await manager.query<{ locked: boolean }[]>(
      'SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS locked',
      [LOCK_SPACE, `held for ${held.subscriptionUid}`],
    );
    if (row?.locked !== true) return false;
    const before = settledBefore(Date.now());
    switch (standing.kind) {
      case 'active':
        return beginHeldReplay(manager, held, before);
      case 'gone': {
        const doomed = await deliveriesHeldFor(manager, held, before);
        const death = { ...held, code: 'subscription_deleted', message: standing.reason } as const;
        await buryHeld(manager, this.publisher, this.topics, doomed, death);
        return false;
      }
      case 'suspended':
        return beginProbe(manager, held, {
          before,
          intervalMs: this.probeIntervalMs,
          since: new Date(standing.stopped?.at ?? 0),
        });
      default:
        return false;
    }
  }

  private async repeat(): Promise<void> {
    const { signal } = this.stopping;
    let failing: string | undefined;
    while (!signal.aborted) {
      try {
        await this.look();
        failing = undefined;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const isKnown = error instanceof StoreError && error.code === 'store_unavailable';
        if (!isKnown && failing !== reason) {
          this.logger.warn({ err: error }, 'what is held cannot be looked at; trying again');
        }
        failing = reason;
      }
      await sleep(INTERVAL_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
