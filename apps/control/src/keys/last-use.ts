import { Inject, Injectable } from '@nestjs/common';
import type { ApiKeyResource } from '@quittance/contracts';
import { Database, StoreError } from '@quittance/persistence';
import { LOGGER } from '@quittance/service';
import type { Logger } from 'pino';

/** When keys were used, as the ledger has it. It is a view's extra: a view without it is as good. */
@Injectable()
export class LastUse {
  private isMissing = false;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @returns by the id of a credential; nothing of those that were never used, and nothing while the ledger cannot be read */
  async of(keys: readonly ApiKeyResource[]): Promise<ReadonlyMap<string, Date>> {
    if (keys.length === 0) return new Map();
    try {
      const rows = await this.database.run<{ id: string; at: Date }[]>((manager) =>
        manager.query(
          `SELECT credential_id AS id, last_used_at AS at FROM audit.key_usage WHERE uid = ANY($1)`,
          [keys.map((key) => key.metadata.uid)],
        ),
      );
      this.isMissing = false;
      return new Map(rows.map(({ id, at }) => [id, at]));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (!this.isMissing) this.logger.warn({ err: error }, 'the last use of API keys cannot be read');
      this.isMissing = true;
      return new Map();
    }
  }
}
