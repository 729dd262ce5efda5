import { Injectable } from '@nestjs/common';
import { Catalogue, CatalogueBehindError, SubscriptionStates } from '@quittance/catalog';
import { NotStartedError, type RecordContext } from '@quittance/kafka';

/** How often a record that is held looks whether its assignment is over. */
const LOOK_UP_MS = 1000;
const FIRST_READING_MS = 50;

/** Holds records until the configuration in memory is the one that they have to be routed with. */
@Injectable()
export class CatalogueGate {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly states: SubscriptionStates,
  ) {}

  isOpen(revision: number): boolean {
    const { catalogue } = this;
    return catalogue.ready && this.states.ready && catalogue.isAt(revision) && catalogue.isFresh();
  }

  /**
   * Waits as long as it takes: routing with an older configuration would lose deliveries.
   * @throws NotStartedError when the assignment is over first
   */
  async whenOpen(revision: number, { over }: Pick<RecordContext, 'over'>): Promise<void> {
    while (!this.isOpen(revision)) {
      if (over.aborted) throw new NotStartedError('The configuration has not caught up.');
      try {
        await this.catalogue.whenAt(revision, LOOK_UP_MS);
        await this.catalogue.whenFresh(LOOK_UP_MS);
        if (!this.catalogue.ready || !this.states.ready) {
          await new Promise((resolve) => setTimeout(resolve, FIRST_READING_MS));
        }
      } catch (error) {
        if (!(error instanceof CatalogueBehindError)) throw error;
      }
    }
  }
}
