import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { KafkaAdmin } from '@quittance/kafka';
import type { Database } from '@quittance/persistence';
import { HealthRegistry } from '@quittance/service';
import { LEDGER_DATABASE, PRUNING_DATABASE, QUERY_DATABASE, REPLAY_DATABASE } from './databases.js';
import { LedgerWriter } from './ledger/ledger-writer.js';
import { LedgerPruner } from './pruning/ledger-pruner.js';
import { HeldWatch } from './replays/held-watch.js';
import { ReplayRunner } from './replays/replay-runner.js';

/** Starts what works in the background, and ends it once the consumers have drained. */
@Injectable()
export class Lifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(LEDGER_DATABASE) private readonly ledger: Database,
    @Inject(QUERY_DATABASE) private readonly queries: Database,
    @Inject(PRUNING_DATABASE) private readonly pruning: Database,
    @Inject(REPLAY_DATABASE) private readonly replays: Database,
    @Inject(LedgerWriter) private readonly writer: LedgerWriter,
    @Inject(LedgerPruner) private readonly pruner: LedgerPruner,
    @Inject(ReplayRunner) private readonly replayRunner: ReplayRunner,
    @Inject(HeldWatch) private readonly heldWatch: HeldWatch,
    @Inject(KafkaAdmin) private readonly admin: KafkaAdmin,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    // All pools lead to the same database.
    this.health.register('database', () => this.ledger.health);
    this.health.register('ledger', () => this.writer.health);
    this.ledger.start();
    this.queries.start();
    this.pruning.start();
    this.replays.start();
    this.pruner.start();
    this.replayRunner.start();
    this.heldWatch.start();
  }

  async onApplicationShutdown(): Promise<void> {
    const { ledger, queries, pruning, replays } = this;
    await this.admin.close();
    await Promise.all([ledger, queries, pruning, replays].map((database) => database.close()));
  }
}
