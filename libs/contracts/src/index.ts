export { parseDuration } from './duration.js';
export { DEFAULT_LADDER, parseLadder, type LadderStep } from './retry-ladder.js';
export { Topics, type TopicSizes, type TopicSpec } from './topics.js';
export {
  headerText,
  traceContextOf,
  traceIdOf,
  UnreadableRecordError,
  type IncomingRecord,
  type OutgoingRecord,
  type RecordHeaders,
  type TraceContext,
} from './kafka-record.js';
export {
  deliveryIdOf,
  eventIdOfIdempotencyKey,
  eventRecordKey,
  subscriptionKey,
  type EventIdentity,
} from './identity.js';
export {
  decodeEvent,
  encodeEvent,
  type CloudEventAttributes,
  type EventRecord,
  type EventReplay,
} from './event-record.js';
export {
  decodeDelivery,
  encodeDeadLetter,
  encodeDelivery,
  truncateUtf8,
  type DeathCertificate,
  type DeliveryRecord,
} from './delivery-record.js';
export {
  decodeOutcome,
  encodeOutcome,
  MAX_SKIPPED_LISTED,
  type AttemptedOutcome,
  type AttemptOutcome,
  type DeadOutcome,
  type DeliveredOutcome,
  type DuplicateOutcome,
  type Outcome,
  type RoutedOutcome,
  type Skipped,
} from './outcome.js';
export {
  API_VERSION,
  eventTypeName,
  metadata,
  metadataInput,
  resourceName,
  type Metadata,
} from './resources/metadata.js';
export { eventTypeSpec, type EventTypeSpec } from './resources/event-type.js';
export {
  bodyFormat,
  subscriptionSpec,
  type BodyFormat,
  type SubscriptionSecrets,
  type SubscriptionSpec,
  type SubscriptionStatus,
} from './resources/subscription.js';
export {
  apiKeyScope,
  apiKeySpec,
  type ApiKeyCredential,
  type ApiKeyScope,
  type ApiKeySpec,
} from './resources/api-key.js';
export {
  configKey,
  decodeConfigChange,
  encodeConfigChange,
  RESOURCE_KINDS,
  type ApiKeyResource,
  type ConfigChange,
  type EventTypeResource,
  type Resource,
  type ResourceKind,
  type SubscriptionResource,
} from './resources/config-record.js';
export type { ResourceCondition, ResourcePage, ResourceView } from './resources/resource-view.js';
export { Problem, PROBLEMS, type ProblemCode, type ProblemDocument } from './problem.js';
