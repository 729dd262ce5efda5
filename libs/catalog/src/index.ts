export { celEvent, type CelData, type CelEvent } from './cel.js';
export { DefinitionError } from './definition-error.js';
export { type CompiledSubscription, type FilterResult, type TransformResult } from './subscription.js';
export { type CompiledEventType } from './event-type.js';
export { type Violation } from './event-schema.js';
export { type ConfigSource } from './config-source.js';
export {
  Catalogue,
  CatalogueBehindError,
  type CatalogueOptions,
  type CatalogueProblem,
} from './catalogue.js';
export { checkEventType, checkSubscription } from './check.js';
export {
  authenticate,
  generateApiKey,
  requireScope,
  type KeyCatalogue,
  type Principal,
} from './authenticator.js';
