import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * - `recover`: asked for, of a time in which the subscription got nothing;
 * - `held`: begun by itself, of what was held while the subscription was suspended;
 * - `probe`: one delivery, to find out whether an unreachable subscriber answers again.
 */
export type ReplayKind = 'recover' | 'held' | 'probe';
export type ReplayState = 'running' | 'completed' | 'cancelled' | 'failed';

/** How far the ledger has to have read: by topic and partition, the offset that is read next. */
export type LedgerFence = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Events that are sent to one subscription again. What is yet to be sent stands in `audit.replay_items`. */
@Entity({ schema: 'audit', name: 'replays' })
export class LedgerReplay {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  namespace!: string;

  @Column('text')
  subscription!: string;

  @Column('text', { name: 'subscription_uid' })
  subscriptionUid!: string;

  @Column('text')
  kind!: ReplayKind;

  /** Of `recover`: events accepted from then on, until … */
  @Column('timestamptz', { nullable: true })
  since!: Date | null;

  /** … and up to this time, it included. */
  @Column('timestamptz', { nullable: true })
  until!: Date | null;

  /** Events per second. */
  @Column('integer')
  rate!: number;

  @Column('text')
  state!: ReplayState;

  /** Nothing is left to do, not even to clear away. */
  @Column('boolean')
  settled!: boolean;

  /** Where the ledger has to have arrived before it knows all that is asked for. */
  @Column('json', { nullable: true })
  fence!: LedgerFence | null;

  /**
   * Where collecting stands; `null` at its beginning. Of `recover` the events of its time come first, and then, marked as
   * such, what was given up in it.
   */
  @Column('json', { nullable: true })
  cursor!: readonly [at: string, tie: string, part?: 'given-up'] | null;

  /** All that is to be sent is known. */
  @Column('boolean')
  collected!: boolean;

  /** How many were collected. */
  @Column('integer')
  total!: number;

  /** How many of them were dealt with. */
  @Column('integer')
  done!: number;

  /** Everything before this place in the log was dealt with; `null`: nothing was. */
  @Column('bigint', { name: 'sent_position', nullable: true })
  sentPosition!: string | null;

  /** For a person: what it waits for; `null` while it does not wait. */
  @Column('text', { nullable: true })
  waiting!: string | null;

  /** Nothing is done before. */
  @Column('timestamptz', { name: 'next_at' })
  nextAt!: Date;

  @Column('timestamptz', { name: 'started_at' })
  startedAt!: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  /** `admin`, `api-key:<namespace>/<name>`, or `quittance`. */
  @Column('text', { name: 'created_by' })
  createdBy!: string;

  /** For a person: why it failed. */
  @Column('text', { nullable: true })
  error!: string | null;
}
