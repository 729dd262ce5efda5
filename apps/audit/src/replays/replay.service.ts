import { Inject, Injectable } from '@nestjs/common';
import { Problem } from '@quittance/contracts';
import type { Database, LedgerReplay } from '@quittance/persistence';
import { QUERY_DATABASE } from '../databases.js';
import { CLOCK_SKEW_MS } from '../ledger/fold.js';
import { Conditions } from '../queries/conditions.js';
import { cutPage, decodeCursor } from '../queries/page-cursor.js';
import type { Page } from '../queries/views.js';
import type { ReplayListQuery, ReplayRequest } from './parameters.js';
import { ReplayRunner } from './replay-runner.js';
import { beginReplay, endReplay, findReplay, listReplays } from './replay-store.js';
import { Standings } from './standings.js';
import { viewOf, type ReplayView } from './views.js';

/** Replays, as they are asked for, looked at and cancelled. */
@Injectable()
export class ReplayService {
  constructor(
    @Inject(QUERY_DATABASE) private readonly database: Database,
    @Inject(Standings) private readonly standings: Standings,
    @Inject(ReplayRunner) private readonly runner: Pick<ReplayRunner, 'wake'>,
  ) {}

  /**
   * Begins to send a subscription what it did not get in a time.
   * @param by who asks: `admin`, or `api-key:<namespace>/<name>`
   * @throws Problem `malformed_request`, `not_found`, `not_replayable`, `replay_under_way`; StoreError
   */
  async recover(
    namespace: string,
    subscription: string,
    request: ReplayRequest,
    by: string,
  ): Promise<ReplayView> {
    const { since, rate } = request;
    // Events bear the time of ingest, whose clock may be ahead.
    const latest = Date.now() + CLOCK_SKEW_MS;
    const until = new Date(Math.min(request.until?.getTime() ?? latest, latest));
    if (since > until) {
      const message = 'must not be later than "until", nor than now';
      const errors = [{ path: '/since', message }];
      throw new Problem('malformed_request', `/since: ${message}`, { errors });
    }
    const subscriptionUid = this.requireActive(namespace, subscription);
    const replay = { namespace, subscription, subscriptionUid, since, until, rate, createdBy: by } as const;
    const row = await this.database.run((manager) => beginReplay(manager, { ...replay, kind: 'recover' }));
    if (row === undefined) {
      throw new Problem(
        'replay_under_way',
        'Events are being recovered for this subscription already: wait until that has ended, or cancel it.',
      );
    }
    this.runner.wake();
    return viewOf(row, Date.now());
  }

  /** Newest first. @throws Problem `invalid_cursor`; StoreError */
  async page(namespace: string, subscription: string, query: ReplayListQuery): Promise<Page<ReplayView>> {
    const scope = `replays/${namespace}/${subscription}`;
    const where = new Conditions().add('namespace = ? AND subscription = ?', namespace, subscription);
    if (query.kind !== undefined) where.add('kind = ?', query.kind);
    if (query.cursor !== undefined) {
      const end = decodeCursor(scope, query.cursor);
      where.add('(started_at, id) < (?::timestamptz, ?::text)', new Date(end.at), end.tie);
    }
    const rows = await this.database.run((manager) => listReplays(manager, where, query.limit + 1));
    const now = Date.now();
    return cutPage(
      rows,
      { scope, limit: query.limit },
      (row) => viewOf(row, now),
      ({ startedAt, id }) => ({ at: startedAt.getTime(), tie: id }),
    );
  }

  /** @throws Problem `not_found`; StoreError */
  async one(namespace: string, subscription: string, id: string): Promise<ReplayView> {
    return viewOf(await this.require(namespace, subscription, id), Date.now());
  }

  /**
   * Nothing more is sent. What was sent is not called back. One that has ended is left as it is.
   * @throws Problem `not_found`, `not_cancellable`; StoreError
   */
  async cancel(namespace: string, subscription: string, id: string): Promise<ReplayView> {
    const row = await this.require(namespace, subscription, id);
    if (row.kind !== 'recover' && row.state === 'running') {
      throw new Problem(
        'not_cancellable',
        'What was held is sent for as long as the subscription is active: pause the subscription instead.',
      );
    }
    const ended = await this.database.run((manager) => endReplay(manager, id, 'cancelled'));
    this.runner.wake();
    return viewOf(ended ?? (await this.require(namespace, subscription, id)), Date.now());
  }

  private requireActive(namespace: string, subscription: string): string {
    const uid = this.standings.uidOf(namespace, subscription);
    const standing = this.standings.of(namespace, subscription, uid ?? '');
    if (standing.kind === 'unreadable') throw new Problem('not_replayable', standing.reason);
    if (uid === undefined) throw new Problem('not_found', `There is no subscription "${subscription}".`);
    if (standing.kind === 'active') return uid;
    throw new Problem('not_replayable', `${standing.reason} Resume it first, then ask again.`);
  }

  private async require(namespace: string, subscription: string, id: string): Promise<LedgerReplay> {
    const row = await this.database.run((manager) => findReplay(manager, id));
    if (row?.namespace === namespace && row.subscription === subscription) return row;
    throw new Problem(
      'not_found',
      'The ledger knows no such replay of this subscription: not, or not any more.',
    );
  }
}
