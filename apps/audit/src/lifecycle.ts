import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Database } from '@quittance/persistence';
import { HealthRegistry } from '@quittance/service';
import { LEDGER_DATABASE, PRUNING_DATABASE, QUERY_DATABASE } from './databases.js';
import { LedgerWriter } from './ledger/ledger-writer.js';
import { LedgerPruner } from './pruning/ledger-pruner.js';

/** Starts what works in the background, and ends it once the consumers have drained. */
@Injectable()
export class Lifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(LEDGER_DATABASE) private readonly ledger: Database,
    @Inject(QUERY_DATABASE) private readonly queries: Database,
    @Inject(PRUNING_DATABASE) private readonly pruning: Database,
    @Inject(LedgerWriter) private readonly writer: LedgerWriter,
    @Inject(LedgerPruner) private readonly pruner: LedgerPruner,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    // All pools lead to the same database.
    this.health.register('database', () => this.ledger.health);
    this.health.register('ledger', () => this.writer.health);
    this.ledger.start();
    this.queries.start();
    this.pruning.start();
    this.pruner.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.queries.close(), this.pruning.close(), this.ledger.close()]);
  }
}
