import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { KafkaAdmin } from '@quittance/kafka';
import { Database } from '@quittance/persistence';
import { HealthRegistry } from '@quittance/service';
import { RevocationClock } from './keys/revocation-clock.js';
import { RelayClock } from './outbox/relay-clock.js';

/** Starts what works in the background, and ends it in the order in which one needs the other. */
@Injectable()
export class Lifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(RelayClock) private readonly clock: RelayClock,
    @Inject(RevocationClock) private readonly revocations: RevocationClock,
    @Inject(KafkaAdmin) private readonly admin: KafkaAdmin,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    this.health.register('database', () => this.database.health);
    this.health.register('snapshot', () => this.clock.health);
    this.database.start();
    this.clock.start();
    this.revocations.start();
  }

  async onApplicationShutdown(): Promise<void> {
    // Together, because with Kafka gone each may take seconds; the database last, because the clocks still need it.
    await Promise.all([this.clock.close(), this.revocations.close(), this.admin.close()]);
    await this.database.close();
  }
}
