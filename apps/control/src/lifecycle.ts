import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { KafkaAdmin } from '@quittance/kafka';
import { Database } from '@quittance/persistence';
import { HealthRegistry, type HealthState } from '@quittance/service';
import { RevocationClock } from './keys/revocation-clock.js';
import { RelayClock } from './outbox/relay-clock.js';

/** Starts what works in the background, and ends it in the order in which one needs the other. */
@Injectable()
export class Lifecycle implements OnModuleInit, OnApplicationShutdown {
  private wasReached = false;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(RelayClock) private readonly clock: RelayClock,
    @Inject(RevocationClock) private readonly revocations: RevocationClock,
    @Inject(KafkaAdmin) private readonly admin: KafkaAdmin,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    this.health.register('database', () => this.databaseState());
    this.health.register('snapshot', () => this.clock.health);
    this.database.start();
    this.clock.start();
    this.revocations.start();
  }

  /**
   * Once the database was there, its absence does not take the service out of its load balancer: keys can be revoked
   * without it, and what needs it is answered 503.
   */
  private databaseState(): HealthState {
    const { ready, detail } = this.database.health;
    this.wasReached ||= ready;
    if (ready || !this.wasReached) return { ready, detail };
    return { ready: true, detail: `${detail}; what needs it is answered 503` };
  }

  async onApplicationShutdown(): Promise<void> {
    // Together, because with Kafka gone each may take seconds; the database last, because the clocks still need it.
    await Promise.all([this.clock.close(), this.revocations.close(), this.admin.close()]);
    await this.database.close();
  }
}
