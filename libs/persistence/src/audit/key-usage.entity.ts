import { Column, Entity, PrimaryColumn } from 'typeorm';

/** When an API key was last used, for each of its credentials. Control reads it too. */
@Entity({ schema: 'audit', name: 'key_usage' })
export class LedgerKeyUsage {
  /** Of the key's resource. */
  @PrimaryColumn('text')
  uid!: string;

  /** The `<id>` of `qk_<id>_<secret>`. */
  @PrimaryColumn('text', { name: 'credential_id' })
  credentialId!: string;

  @Column('text')
  namespace!: string;

  /** The key's. */
  @Column('text')
  name!: string;

  /** To about a minute. */
  @Column('timestamptz', { name: 'last_used_at' })
  lastUsedAt!: Date;
}
