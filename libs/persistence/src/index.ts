export {
  createDataSource,
  type DataSourceSettings,
  type EntityClass,
  type MigrationClass,
  type SchemaName,
} from './data-source.js';
export { Database, type DatabaseHealth, type DatabaseOptions } from './database.js';
export { LOCK_SPACE, type SchemaDefinition } from './migrate.js';
export { provisionDatabase, type ProvisionSettings } from './provision.js';
export { AUDIT_SCHEMA, CONTROL_SCHEMA } from './schemas.js';
export { StoreError, storeErrorOf, withStoreErrors, type StoreErrorCode } from './store-error.js';
export { AuditLogRow, OutboxRow, ResourceRow } from './control/entities.js';
export {
  LedgerAttempt,
  LedgerDelivery,
  LedgerDuplicate,
  LedgerEvent,
  RetryRequest,
  type DeliveryState,
  type SkippedSubscription,
} from './audit/entities.js';
export { LedgerKeyUsage } from './audit/key-usage.entity.js';
export { LedgerRejection } from './audit/rejection.entity.js';
export { LedgerReplay, type LedgerFence, type ReplayKind, type ReplayState } from './audit/replay.entity.js';
export { STORE_FAILURE_LOG, StoreErrorInterceptor, type StoreFailureLog } from './store-error.interceptor.js';
