import { Injectable } from '@nestjs/common';
import { Catalogue, CatalogueBehindError } from '@quittance/catalog';
import { unavailable } from './unavailable.js';

/** Together with the publisher's deadline of 3 s, the answer comes within 5 s. */
const FRESHNESS_TIMEOUT_MS = 1500;

/** Whoever publishes after a change was answered, is treated by that change: so nothing is decided on an old catalogue. */
@Injectable()
export class FreshCatalogue {
  constructor(private readonly catalogue: Catalogue) {}

  /**
   * Runs `decide` on a catalogue that is fresh.
   * @throws Problem `not_ready`, `kafka_unavailable`; what `decide` throws
   */
  async use<T>(decide: (catalogue: Catalogue) => T | Promise<T>): Promise<T> {
    const { catalogue } = this;
    try {
      if (!catalogue.isFresh()) await catalogue.whenFresh(FRESHNESS_TIMEOUT_MS);
      if (!catalogue.ready) throw unavailable('not_ready', 'The service has not read its configuration yet.');
      return await decide(catalogue);
    } catch (error) {
      if (!(error instanceof CatalogueBehindError)) throw error;
      throw unavailable(
        'kafka_unavailable',
        'The configuration cannot be confirmed, because Kafka does not answer.',
      );
    }
  }
}
