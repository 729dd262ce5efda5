import { Inject, Injectable } from '@nestjs/common';
import { Problem } from '@quittance/contracts';
import { LedgerRejection, type Database } from '@quittance/persistence';
import { QUERY_DATABASE } from '../databases.js';
import { MAX_KEPT_BODY_BYTES } from '../ledger/admission-fold.js';
import { Conditions } from '../queries/conditions.js';
import { cutPage, decodeCursor } from '../queries/page-cursor.js';
import type { RejectionListQuery } from '../queries/parameters.js';
import type { Page } from '../queries/views.js';
import { summaryOf, type RejectionSummary, type RejectionView } from './views.js';

/** What ingest refused, newest first. */
@Injectable()
export class RejectionRecords {
  constructor(@Inject(QUERY_DATABASE) private readonly database: Database) {}

  /** @throws Problem `invalid_cursor`; StoreError */
  async page(namespace: string, query: RejectionListQuery): Promise<Page<RejectionSummary>> {
    const scope = `rejections/${namespace}`;
    const where = new Conditions().add('namespace = ?', namespace);
    if (query.source !== undefined) where.add('source = ?', query.source);
    if (query.code !== undefined) where.add('code = ?', query.code);
    if (query.from) where.add('at >= ?', query.from);
    if (query.to) where.add('at < ?', query.to);
    if (query.cursor !== undefined) {
      const end = decodeCursor(scope, query.cursor);
      where.add('(at, id) < (?::timestamptz, ?::text)', new Date(end.at), end.tie);
    }
    const rows = await this.database.run((manager) =>
      manager.query<Omit<LedgerRejection, 'body'>[]>(
        `SELECT id, namespace, at, source, api_key AS "apiKey", method, path, address, user_agent AS "userAgent",
                content_type AS "contentType", status, code, reason, errors, trace_id AS "traceId",
                body_bytes AS "bodyBytes", suppressed
           FROM audit.rejections
          WHERE ${where.sql}
          ORDER BY at DESC, id DESC
          LIMIT ${query.limit + 1}`,
        where.parameters,
      ),
    );
    return cutPage(rows, { scope, limit: query.limit }, summaryOf, ({ at, id }) => ({
      at: at.getTime(),
      tie: id,
    }));
  }

  /** @throws Problem `not_found`; StoreError */
  async one(namespace: string, id: string): Promise<RejectionView> {
    const row = await this.database.run((manager) =>
      manager
        .createQueryBuilder(LedgerRejection, 'rejection')
        .addSelect('rejection.body')
        .where({ namespace, id })
        .getOne(),
    );
    if (!row) {
      throw new Problem(
        'not_found',
        'The ledger knows no such rejection: not yet, not any more, or too many came at once to keep each.',
      );
    }
    // What was blotted out may have made the body shorter or longer: one that fills its place may have been cut.
    const truncated = row.body
      ? row.bodyBytes > MAX_KEPT_BODY_BYTES || row.body.length === MAX_KEPT_BODY_BYTES
      : row.bodyBytes > 0;
    return { ...summaryOf(row), ...(row.body && bodyOf(row.body, truncated)), truncated };
  }
}

function bodyOf(bytes: Buffer, truncated: boolean): { body: string } | { bodyBase64: string } {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    // The end of what was kept may be half a character: as of a stream, that is no error.
    return { body: decoder.decode(bytes, { stream: truncated }) };
  } catch {
    return { bodyBase64: bytes.toString('base64') };
  }
}
