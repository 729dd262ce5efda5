import { AUDIT_ENTITIES } from './audit/entities.js';
import { AUDIT_MIGRATIONS } from './audit/migrations.js';
import { CONTROL_ENTITIES } from './control/entities.js';
import { CONTROL_MIGRATIONS } from './control/migrations.js';
import type { SchemaDefinition } from './migrate.js';

export const CONTROL_SCHEMA = {
  schema: 'control',
  entities: CONTROL_ENTITIES,
  migrations: CONTROL_MIGRATIONS,
  appendOnly: ['audit_log'],
} as const satisfies SchemaDefinition;

export const AUDIT_SCHEMA = {
  schema: 'audit',
  entities: AUDIT_ENTITIES,
  migrations: AUDIT_MIGRATIONS,
  // Shown with the keys, which are control's.
  readableElsewhere: { control: ['key_usage'] },
} as const satisfies SchemaDefinition;
