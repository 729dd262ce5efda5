import { Injectable } from '@nestjs/common';
import { Catalogue, CatalogueBehindError } from '@quittance/catalog';
import { NotStartedError, type RecordContext } from '@quittance/kafka';

/** How often a record that is held looks whether the process is about to stop. */
const LOOK_UP_MS = 1000;

/** Holds records until the configuration in memory is the one that they have to be routed with. */
@Injectable()
export class CatalogueGate {
  constructor(private readonly catalogue: Catalogue) {}

  isOpen(revision: number): boolean {
    return this.catalogue.ready && this.catalogue.isAt(revision) && this.catalogue.isFresh();
  }

  /**
   * Waits as long as it takes: routing with an older configuration would lose deliveries.
   * @throws NotStartedError when the process is about to stop
   */
  async whenOpen(revision: number, context: Pick<RecordContext, 'isDraining'>): Promise<void> {
    while (!this.isOpen(revision)) {
      if (context.isDraining()) throw new NotStartedError('The configuration has not caught up.');
      try {
        await this.catalogue.whenAt(revision, LOOK_UP_MS);
        await this.catalogue.whenFresh(LOOK_UP_MS);
        if (!this.catalogue.ready) await new Promise((resolve) => setTimeout(resolve, 50));
      } catch (error) {
        if (!(error instanceof CatalogueBehindError)) throw error;
      }
    }
  }
}
