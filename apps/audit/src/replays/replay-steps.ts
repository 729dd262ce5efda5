import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Topics } from '@quittance/contracts';
import { KafkaPublisher } from '@quittance/kafka';
import type { LedgerFence, LedgerReplay, ReplayKind } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { buryHeld } from './burial.js';
import { collectHeld, collectMissed } from './collecting.js';
import { EventReplay } from './event-replay.js';
import { LedgerProgress } from './ledger-progress.js';
import { endReplay, findReplay, putOff } from './replay-store.js';
import { sendBatch } from './sending.js';
import { Standings, type Standing } from './standings.js';

/** What a step did, for the log and the metrics. */
export interface StepResult {
  started?: LedgerReplay;
  ended?: LedgerReplay | undefined;
  sent?: { kind: ReplayKind; events: number };
}

const STOPPED_PAUSE_MS = 1_000;
const LEDGER_PAUSE_MS = 500;
/** Kafka is asked inside the step's transaction, which keeps a connection, and the other replays of the round waiting. */
const KAFKA_PATIENCE_MS = 2_000;
/** The ledger has arrived. */
const PASSED: LedgerFence = {};

/** What a replay does next. Each step runs in a transaction under the replay's lock. */
@Injectable()
export class ReplaySteps {
  constructor(
    @Inject(Standings) private readonly standings: Standings,
    @Inject(LedgerProgress) private readonly progress: Pick<LedgerProgress, 'fence' | 'hasReached'>,
    @Inject(EventReplay) private readonly events: EventReplay,
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publishAll'>,
    @Inject(Topics) private readonly topics: Topics,
  ) {}

  /** @throws PublishError, StoreError */
  async next(manager: EntityManager, replay: LedgerReplay): Promise<StepResult> {
    const { id, kind, namespace, subscription, subscriptionUid } = replay;
    const standing = this.standings.of(namespace, subscription, subscriptionUid);
    if (standing.kind === 'gone') {
      return { ended: await endReplay(manager, id, 'failed', standing.reason) };
    }
    if (!mayGoOn(kind, standing)) {
      await putOff(manager, id, standing.reason, STOPPED_PAUSE_MS);
      return {};
    }
    if (!replay.collected) return this.collect(manager, replay);
    const { sent, isLast } = await sendBatch(manager, replay, this.events);
    return {
      sent: { kind, events: sent },
      ...(isLast && { ended: await endReplay(manager, id, 'completed') }),
    };
  }

  private async collect(manager: EntityManager, replay: LedgerReplay): Promise<StepResult> {
    const { id, kind, namespace, subscription, subscriptionUid } = replay;
    const isFirst = replay.cursor === null && replay.fence === null;
    if (kind === 'recover') {
      if (!(await this.hasArrived(manager, replay))) return isFirst ? { started: replay } : {};
      await collectMissed(manager, replay, (type) => this.standings.wants(namespace, subscription, type));
    } else {
      const doomed = await collectHeld(manager, replay);
      const message = 'The ledger does not have the event, and Kafka has dropped it.';
      const whose = { namespace, subscription, subscriptionUid };
      await buryHeld(manager, this.publisher, this.topics, doomed, { ...whose, code: 'event_gone', message });
    }
    const { collected, total } = (await findReplay(manager, id)) ?? replay;
    return {
      ...(isFirst && { started: replay }),
      ...(collected && total === 0 && { ended: await endReplay(manager, id, 'completed') }),
    };
  }

  /** Whether the ledger knows everything that was published before the replay was asked for. */
  private async hasArrived(manager: EntityManager, { id, fence }: LedgerReplay): Promise<boolean> {
    let ahead: LedgerFence;
    try {
      ahead = await withPatience(this.ahead(fence));
    } catch {
      await putOff(manager, id, 'Kafka cannot be asked how far the ledger is.', STOPPED_PAUSE_MS);
      return false;
    }
    await manager.query(`UPDATE audit.replays SET fence = $2 WHERE id = $1`, [id, JSON.stringify(ahead)]);
    if (ahead === PASSED) return true;
    await putOff(manager, id, 'The ledger has yet to read what was published before.', LEDGER_PAUSE_MS);
    return false;
  }

  /** Where the ledger has yet to arrive. @throws when Kafka cannot be asked */
  private async ahead(fence: LedgerFence | null): Promise<LedgerFence> {
    const ahead = fence ?? (await this.progress.fence());
    return (await this.progress.hasReached(ahead)) ? PASSED : ahead;
  }
}

/** @throws when the answer does not come in time */
async function withPatience<T>(answer: Promise<T>): Promise<T> {
  const patience = new AbortController();
  const tooLate = sleep(KAFKA_PATIENCE_MS, undefined, { signal: patience.signal }).then(() => {
    throw new Error('Kafka did not answer in time.');
  });
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    patience.abort();
  }
}

/** A probe is for a subscriber that did not answer; everything else is for one that may be sent something. */
function mayGoOn(kind: ReplayKind, standing: Standing): standing is Extract<Standing, { kind: 'active' }> {
  if (standing.kind === 'active') return true;
  return kind === 'probe' && isUnreachable(standing);
}

/** Suspended, because it did not answer. */
export function isUnreachable(standing: Standing): boolean {
  return standing.kind === 'suspended' && standing.stopped?.code === 'unreachable';
}
