import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { EntityClass } from '../data-source.js';
import { LedgerKeyUsage } from './key-usage.entity.js';
import { LedgerRejection } from './rejection.entity.js';
import { LedgerReplay } from './replay.entity.js';

/** A subscription that wanted the event's type, yet got nothing. */
export interface SkippedSubscription {
  subscription: string;
  subscriptionUid: string;
  code: string;
  reason: string;
}

/**
 * What is known of an event. Two records contribute, in any order: its own (`accepted_at` and what stands
 * with it) and its routing (`routed_at` and what stands with it); each part is null until its record came.
 */
@Entity({ schema: 'audit', name: 'events' })
export class LedgerEvent {
  @PrimaryColumn('text')
  namespace!: string;

  @PrimaryColumn('text')
  id!: string;

  @PrimaryColumn('text')
  source!: string;

  @Column('timestamptz', { name: 'accepted_at', nullable: true })
  acceptedAt!: Date | null;

  /** Partition and offset on `events.v1` in one number: tells apart what was accepted in the same millisecond. */
  @Column('bigint', { name: 'log_position', nullable: true })
  logPosition!: string | null;

  @Column('bigint', { nullable: true })
  revision!: string | null;

  @Column('text', { nullable: true })
  type!: string | null;

  @Column('text', { nullable: true })
  subject!: string | null;

  /** As the publisher wrote it. */
  @Column('text', { nullable: true })
  time!: string | null;

  @Column('text', { name: 'data_schema', nullable: true })
  dataSchema!: string | null;

  @Column('text', { name: 'content_type', nullable: true })
  contentType!: string | null;

  @Column('json', { nullable: true })
  extensions!: Record<string, string> | null;

  @Column('text', { nullable: true })
  traceparent!: string | null;

  /** The bytes as received; large, so only read where they are asked for. */
  @Column('bytea', { nullable: true, select: false })
  data?: Buffer | null;

  /** Of the subscription that it was sent to try; `null`: it is no sample. */
  @Column('text', { name: 'test_subscription_uid', nullable: true })
  testSubscriptionUid!: string | null;

  @Column('timestamptz', { name: 'routed_at', nullable: true })
  routedAt!: Date | null;

  @Column('bigint', { name: 'routed_revision', nullable: true })
  routedRevision!: string | null;

  @Column('json', { nullable: true })
  skipped!: SkippedSubscription[] | null;

  @Column('integer', { name: 'skipped_count', nullable: true })
  skippedCount!: number | null;
}

export type DeliveryState = 'pending' | 'held' | 'delivered' | 'dead';

/** One event on its way to one subscription. */
@Entity({ schema: 'audit', name: 'deliveries' })
export class LedgerDelivery {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  namespace!: string;

  @Column('text', { name: 'event_id' })
  eventId!: string;

  @Column('text', { name: 'event_source' })
  eventSource!: string;

  @Column('text')
  subscription!: string;

  @Column('text', { name: 'subscription_uid' })
  subscriptionUid!: string;

  /** The earliest time that any record about it bears. */
  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'delivered_at', nullable: true })
  deliveredAt!: Date | null;

  /** The newest: epoch milliseconds × 8 + kind (0 routed, 1 replayed, 2 will be tried again, 3 held, 4 dead). */
  @Column('bigint')
  news!: string;

  @Column('timestamptz', { name: 'next_attempt_at', nullable: true })
  nextAttemptAt!: Date | null;

  /** Why it was given up, or is held. */
  @Column('text', { name: 'error_code', nullable: true })
  errorCode!: string | null;

  @Column('text', { name: 'error_message', nullable: true })
  errorMessage!: string | null;

  /** Postgres derives it from `delivered_at` and `news`. */
  @Column({ type: 'text', insert: false, update: false })
  state!: DeliveryState;
}

/** One request to a subscriber. */
@Entity({ schema: 'audit', name: 'attempts' })
export class LedgerAttempt {
  @PrimaryColumn('text', { name: 'delivery_id' })
  deliveryId!: string;

  @PrimaryColumn('text', { name: 'attempt_id' })
  attemptId!: string;

  @Column('integer')
  number!: number;

  @Column('timestamptz')
  at!: Date;

  @Column('integer', { nullable: true })
  status!: number | null;

  @Column('integer', { name: 'duration_ms', nullable: true })
  durationMs!: number | null;

  @Column('text', { name: 'error_code', nullable: true })
  errorCode!: string | null;

  @Column('text', { name: 'error_message', nullable: true })
  errorMessage!: string | null;

  /** The start of the answer. */
  @Column('text', { nullable: true })
  response!: string | null;
}

/** An event that came again and was not delivered again. */
@Entity({ schema: 'audit', name: 'duplicates' })
export class LedgerDuplicate {
  @PrimaryColumn('text')
  namespace!: string;

  @PrimaryColumn('text', { name: 'event_id' })
  eventId!: string;

  @PrimaryColumn('text', { name: 'event_source' })
  eventSource!: string;

  /** What makes it countable although its record may come twice: its trace id, else its place in the log. */
  @PrimaryColumn('text')
  mark!: string;

  @Column('timestamptz')
  at!: Date;

  /** It had another body. */
  @Column('boolean')
  conflict!: boolean;
}

/** Someone asked for a delivery to be tried again. */
@Entity({ schema: 'audit', name: 'retry_requests' })
export class RetryRequest {
  @PrimaryColumn('text', { name: 'delivery_id' })
  deliveryId!: string;

  @PrimaryColumn({ type: 'timestamptz', name: 'requested_at' })
  requestedAt!: Date;

  /** `admin`, or `api-key:<namespace>/<name>`. */
  @Column('text', { name: 'requested_by' })
  requestedBy!: string;
}

/** Every entity of schema `audit`. */
export const AUDIT_ENTITIES: readonly EntityClass[] = [
  LedgerEvent,
  LedgerDelivery,
  LedgerAttempt,
  LedgerDuplicate,
  RetryRequest,
  LedgerRejection,
  LedgerKeyUsage,
  LedgerReplay,
];
