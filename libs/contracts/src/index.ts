export { formatDuration, parseDuration } from './duration.js';
export { DEFAULT_LADDER, parseLadder, type LadderStep } from './retry-ladder.js';
export { Topics, type TopicSizes, type TopicSpec } from './topics.js';
export {
  headerText,
  traceContextOf,
  traceIdOf,
  UnreadableRecordError,
  type IncomingRecord,
  type OutgoingRecord,
  type PartitionSpread,
  type RecordHeaders,
  type TraceContext,
} from './kafka-record.js';
export {
  deliveryIdOf,
  eventIdOfIdempotencyKey,
  eventIdOfUnsignedDelivery,
  eventRecordKey,
  subscriptionKey,
  type EventIdentity,
} from './identity.js';
export {
  decodeEvent,
  encodeEvent,
  hasControlCharacters,
  MAX_EVENT_ID_BYTES,
  type CloudEventAttributes,
  type EventRecord,
  type EventTarget,
  type ReplayTarget,
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
  heldCode,
  MAX_REJECTION_ERRORS,
  MAX_SKIPPED_LISTED,
  type AttemptedOutcome,
  type AttemptOutcome,
  type DeadOutcome,
  type DeliveredOutcome,
  type DuplicateOutcome,
  type HeldCode,
  type HeldOutcome,
  type KeyUsedOutcome,
  type Outcome,
  type RejectedOutcome,
  type RoutedOutcome,
  type Skipped,
} from './outcome.js';
export {
  decodeSubscriptionState,
  encodeSubscriptionState,
  encodeSubscriptionStateRemoval,
  subscriptionState,
  type StopCode,
  type SubscriptionState,
  type SubscriptionStateChange,
} from './subscription-state.js';
export {
  API_VERSION,
  eventTypeName,
  metadata,
  metadataInput,
  RESERVED_TYPE_PREFIX,
  resourceName,
  type Metadata,
} from './resources/metadata.js';
export {
  deprecation,
  eventTypeSpec,
  eventTypeVersion,
  type Deprecation,
  type EventTypeSpec,
  type EventTypeVersion,
} from './resources/event-type.js';
export { cidr, durationText, rateLimit, type RateLimit } from './resources/limits.js';
export { DEFAULT_NAMESPACE, namespaceSpec, type NamespaceSpec } from './resources/namespace.js';
export {
  sourceSecretsInput,
  sourceSpec,
  sourceVerify,
  type SourceSecrets,
  type SourceSecretsInput,
  type SourceSpec,
  type SourceVerify,
} from './resources/source.js';
export {
  bodyFormat,
  secretRotation,
  subscriptionSecrets,
  subscriptionSpec,
  subscriptionStatus,
  type BodyFormat,
  type FormerSecret,
  type SubscriptionMove,
  type SubscriptionSecrets,
  type SubscriptionSpec,
  type SubscriptionStatus,
} from './resources/subscription.js';
export {
  apiKeyRotation,
  apiKeyScope,
  apiKeySpec,
  type ApiKeyCredential,
  type ApiKeyScope,
  type ApiKeySpec,
  type ApiKeyStatus,
  type FormerCredential,
} from './resources/api-key.js';
export {
  configKey,
  decodeConfigChange,
  encodeConfigChange,
  RESOURCE_KINDS,
  type ApiKeyResource,
  type ApiKeyRevocation,
  type ConfigChange,
  type EventTypeResource,
  type NamespaceResource,
  type Resource,
  type ResourceKind,
  type SourceResource,
  type SubscriptionResource,
} from './resources/config-record.js';
export type { ResourceCondition, ResourcePage, ResourceView } from './resources/resource-view.js';
export { Problem, problemDocument, PROBLEMS, type ProblemCode, type ProblemDocument } from './problem.js';
export { documentedAs, pageCursor, pageLimit, pageOf, type JsonSchema } from './api/parameters.js';
