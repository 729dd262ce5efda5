import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { KafkaAdmin } from '@quittance/kafka';
import { Database } from '@quittance/persistence';
import { HealthRegistry, type HealthState } from '@quittance/service';
import type { Clock } from './background/clock.js';
import { RevocationClock } from './keys/revocation-clock.js';
import { RelayClock } from './outbox/relay-clock.js';
import { MoveClock } from './subscriptions/move-clock.js';
import { StateClock } from './subscriptions/state-clock.js';

/** Starts what works in the background, and ends it in the order in which one needs the other. */
@Injectable()
export class Lifecycle implements OnModuleInit, OnApplicationShutdown {
  private wasReached = false;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(RelayClock) private readonly clock: RelayClock,
    @Inject(RevocationClock) private readonly revocations: RevocationClock,
    @Inject(MoveClock) private readonly moves: MoveClock,
    @Inject(StateClock) private readonly states: StateClock,
    @Inject(KafkaAdmin) private readonly admin: KafkaAdmin,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
  ) {}

  private get clocks(): Clock[] {
    return [this.revocations, this.moves, this.states];
  }

  onModuleInit(): void {
    this.health.register('database', () => this.databaseState());
    this.health.register('snapshot', () => this.clock.health);
    this.database.start();
    this.clock.start();
    for (const clock of this.clocks) clock.start();
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
    await Promise.all([...this.clocks.map((clock) => clock.close()), this.clock.close(), this.admin.close()]);
    await this.database.close();
  }
}
