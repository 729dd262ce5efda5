import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { encodeConfigChange, Topics, type ConfigChange } from '@quittance/contracts';
import { CONFIG_PUBLISHER, Relay, type ConfigPublisher } from './relay.js';

/** How long after Kafka's acknowledgement some reader may still work with what it knew before, in ms. */
export const CATALOG_STALENESS_MS = Symbol('CATALOG_STALENESS_MS');

/** A client waits for its change to be in force, but not for ever. */
const PATIENCE_MS = 2_000;
const PAUSE_MS = 100;

/** Lets an answer wait until what it says is in force everywhere. */
@Injectable()
export class Publication {
  constructor(
    @Inject(Relay) private readonly relay: Relay,
    @Inject(CONFIG_PUBLISHER) private readonly publisher: ConfigPublisher,
    @Inject(Topics) private readonly topics: Topics,
    @Inject(CATALOG_STALENESS_MS) private readonly stalenessMs: number,
  ) {}

  /**
   * Call it after the commit. Readers poll within the staleness, and hold what they handle when they cannot:
   * so once this resolves to `true`, nobody acts on the state before.
   * @returns `false` when Kafka did not acknowledge the change within 2 s; the relay goes on trying
   */
  async settled(): Promise<boolean> {
    const patience = new AbortController();
    const isPublished = await Promise.race([
      this.published(patience.signal),
      sleep(PATIENCE_MS, false, { signal: patience.signal }).catch(() => false),
    ]);
    patience.abort();
    if (isPublished) await sleep(this.stalenessMs);
    return isPublished;
  }

  /**
   * Publishes what no outbox holds, because it must not wait for the database. Resolves once it is in force.
   * @throws PublishError
   */
  async publish(change: ConfigChange): Promise<void> {
    await this.publisher.publishAll([encodeConfigChange(this.topics.config, change)]);
    await sleep(this.stalenessMs);
  }

  private async published(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      try {
        await this.relay.flush();
        return true;
      } catch {
        // The relay's clock logs what goes wrong, once.
        await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  }
}
