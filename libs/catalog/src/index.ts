export { celEvent, type CelData, type CelEvent } from './cel.js';
export { DefinitionError } from './definition-error.js';
export { type CompiledSubscription, type FilterResult, type TransformResult } from './subscription.js';
export { type CompiledEventType, type CompiledVersion } from './event-type.js';
export { type CompiledSource, type SourceRequest, type SourceText } from './source.js';
export { type KnownApiKey } from './api-key-ring.js';
export { compileEventSchema, type EventSchema, type Violation } from './event-schema.js';
export { type ConfigSource } from './config-source.js';
export {
  Catalogue,
  CatalogueBehindError,
  type CatalogueOptions,
  type CatalogueProblem,
} from './catalogue.js';
export { SubscriptionStates, type SubscriptionStatesOptions } from './subscription-states.js';
export { checkEventType, checkSource, checkSubscription } from './check.js';
export {
  authenticate,
  generateApiKey,
  requireScope,
  type KeyCatalogue,
  type Principal,
} from './authenticator.js';
export { checkCompatibility } from './compatibility/compatibility.js';
export { ONE_SCHEMA, type JsonSchema } from './compatibility/schema-world.js';
