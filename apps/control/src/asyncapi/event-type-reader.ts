import { Inject, Injectable } from '@nestjs/common';
import { Problem, type EventTypeSpec } from '@quittance/contracts';
import { Database, type ResourceRow } from '@quittance/persistence';
import { kindNamed } from '../resources/kinds.js';
import { ResourceRepository } from '../resources/resource.repository.js';
import { notFound } from '../resources/resource.service.js';
import type { DescribedType } from './asyncapi-document.js';

const MAX_TYPES = 5000;
const MAX_BYTES = 16 * 1024 * 1024;
const PAGE = 100;

/** Event types as they are stored. */
@Injectable()
export class EventTypeReader {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
  ) {}

  /**
   * All of a namespace, by name.
   * @throws Problem `catalogue_too_large` beyond 5,000 types, or 16 MiB of them; StoreError
   */
  async all(namespace: string): Promise<DescribedType[]> {
    return this.database.transaction(async (manager) => {
      // All pages as of one moment.
      await manager.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const found: DescribedType[] = [];
      let bytes = 0;
      for (;;) {
        const after = found.at(-1)?.name;
        const rows = await this.resources.list(manager, {
          kind: 'EventType',
          namespace,
          labels: [],
          limit: PAGE,
          ...(after !== undefined && { after }),
        });
        for (const row of rows) {
          found.push(describedOf(row));
          bytes += JSON.stringify(row.spec).length;
        }
        if (found.length > MAX_TYPES || bytes > MAX_BYTES) throw tooLarge(namespace);
        if (rows.length < PAGE) return found;
      }
    });
  }

  /** @throws Problem `not_found`; StoreError */
  async one(namespace: string, name: string): Promise<DescribedType> {
    const address = { kind: kindNamed('EventType'), namespace, name };
    const row = await this.database.run((manager) => this.resources.find(manager, address));
    if (!row) throw notFound(address);
    return describedOf(row);
  }
}

function describedOf({ name, spec, resourceVersion }: ResourceRow): DescribedType {
  return { name, spec: spec as EventTypeSpec, resourceVersion };
}

function tooLarge(namespace: string): Problem {
  return new Problem(
    'catalogue_too_large',
    `The namespace "${namespace}" has more than ${MAX_TYPES} event types, or more than ${MAX_BYTES / 1024 / 1024} MiB of them. Read them page by page from …/event-types instead.`,
  );
}
