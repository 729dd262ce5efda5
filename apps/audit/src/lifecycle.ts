import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Database } from '@quittance/persistence';
import { HealthRegistry } from '@quittance/service';
import { LEDGER_DATABASE, QUERY_DATABASE } from './databases.js';
import { LedgerWriter } from './ledger/ledger-writer.js';

/** Starts what works in the background, and ends it once the consumers have drained. */
@Injectable()
export class Lifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(LEDGER_DATABASE) private readonly ledger: Database,
    @Inject(QUERY_DATABASE) private readonly queries: Database,
    @Inject(LedgerWriter) private readonly writer: LedgerWriter,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    // Both pools lead to the same database.
    this.health.register('database', () => this.ledger.health);
    this.health.register('ledger', () => this.writer.health);
    this.ledger.start();
    this.queries.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.queries.close(), this.ledger.close()]);
  }
}
