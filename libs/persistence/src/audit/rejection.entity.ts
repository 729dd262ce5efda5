import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Input that ingest refused. Nothing of it is secret: ingest has blotted out what looks like a credential. */
@Entity({ schema: 'audit', name: 'rejections' })
export class LedgerRejection {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  namespace!: string;

  @Column('timestamptz')
  at!: Date;

  /** The source's name, of an inbound webhook. */
  @Column('text', { nullable: true })
  source!: string | null;

  /** The API key's name, where one was recognised. */
  @Column('text', { name: 'api_key', nullable: true })
  apiKey!: string | null;

  @Column('text')
  method!: string;

  @Column('text')
  path!: string;

  @Column('text')
  address!: string;

  @Column('text', { name: 'user_agent', nullable: true })
  userAgent!: string | null;

  @Column('text', { name: 'content_type', nullable: true })
  contentType!: string | null;

  @Column('integer')
  status!: number;

  /** The problem code of the answer. */
  @Column('text')
  code!: string;

  @Column('text')
  reason!: string;

  @Column('json', { nullable: true })
  errors!: { path: string; message: string }[] | null;

  @Column('text', { name: 'trace_id', nullable: true })
  traceId!: string | null;

  /** How many bytes of a body were received. */
  @Column('integer', { name: 'body_bytes' })
  bodyBytes!: number;

  /** The body's beginning, at most 64 KiB; large, so only read where it is asked for. */
  @Column('bytea', { nullable: true, select: false })
  body?: Buffer | null;

  /** How many rejections of the namespace were left out before this one. */
  @Column('integer')
  suppressed!: number;
}
