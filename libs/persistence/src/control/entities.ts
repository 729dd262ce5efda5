import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { EntityClass } from '../data-source.js';

/** A resource of any kind, as it stands. */
@Entity({ schema: 'control', name: 'resources' })
export class ResourceRow {
  @PrimaryColumn('text')
  kind!: string;

  @PrimaryColumn('text')
  namespace!: string;

  @PrimaryColumn('text')
  name!: string;

  @Column('uuid', { unique: true })
  uid!: string;

  @Column('jsonb')
  labels!: Record<string, string>;

  @Column('jsonb')
  annotations!: Record<string, string>;

  @Column('integer')
  generation!: number;

  /** From the sequence `resource_versions`; Postgres' bigint, so a string here. */
  @Column('bigint', { name: 'resource_version' })
  resourceVersion!: string;

  @Column('jsonb')
  spec!: object;

  /** What the platform decided, such as a subscription's home partition; `null` where a kind has none. */
  @Column('jsonb', { nullable: true })
  status!: object | null;

  /** Sealed or hashed: signing keys, what a source verifies with, an API key's digests. Never leaves through an API. */
  @Column('jsonb', { nullable: true })
  secrets!: object | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}

/** Who did what to which resource. Rows are only ever added. */
@Entity({ schema: 'control', name: 'audit_log' })
export class AuditLogRow {
  @PrimaryColumn('bigint', { generated: 'identity', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('timestamptz', { default: () => 'clock_timestamp()' })
  at!: Date;

  /** `admin`, or `api-key:<namespace>/<name>`; `control` for what follows by itself. */
  @Column('text')
  actor!: string;

  @Column('text')
  action!:
    'create' | 'replace' | 'delete' | 'read-secret' | 'rotate' | 'revoke' | 'pause' | 'resume' | 'move';

  @Column('text')
  kind!: string;

  @Column('text')
  namespace!: string;

  @Column('text')
  name!: string;

  @Column('uuid')
  uid!: string;

  /**
   * The resource as its API shows it, so without secrets; `null` where there was none. In `after`, `secretsChanged` names
   * the secrets that were changed with it.
   */
  @Column('jsonb', { nullable: true })
  before!: object | null;

  @Column('jsonb', { nullable: true })
  after!: object | null;
}

/** A change that Kafka has to learn, in the shape that Debezium's outbox router expects. */
@Entity({ schema: 'control', name: 'outbox' })
export class OutboxRow {
  /** Rows of one aggregate rise in the order in which they were committed. */
  @PrimaryColumn('bigint', { generated: 'identity', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('uuid', { unique: true })
  id!: string;

  /** The resource's kind. */
  @Column('text')
  aggregatetype!: string;

  /** The record's key: `Kind/namespace/name`. */
  @Column('text')
  aggregateid!: string;

  @Column('text')
  type!: 'put' | 'delete';

  /** The record's value; `null` is a tombstone. */
  @Column('jsonb', { nullable: true })
  payload!: object | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'clock_timestamp()' })
  createdAt!: Date;

  /** When Kafka had acknowledged it; `null` until then. */
  @Index()
  @Column('timestamptz', { name: 'published_at', nullable: true })
  publishedAt!: Date | null;
}

/** Every entity of schema `control`. */
export const CONTROL_ENTITIES: readonly EntityClass[] = [ResourceRow, AuditLogRow, OutboxRow];
