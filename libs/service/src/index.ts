export { Access } from './access/access.js';
export { accessModule, AccessModule } from './access/access.module.js';
export { KeyUsage } from './access/key-usage.js';
export { KeyUsageModule } from './access/key-usage.module.js';
export {
  ApiDocumentModule,
  apiDocumentModule,
  documentOperation,
} from './api-document/api-document.module.js';
export { openApiDocument, type OpenApiDocument } from './api-document/openapi-document.js';
export {
  problemsOf,
  UNKNOWN_METHOD,
  type ApiAccess,
  type ApiAnswer,
  type ApiBody,
  type ApiDescription,
  type ApiHeader,
  type ApiOperation,
  type ApiSchema,
} from './api-document/operation.js';
export {
  catalogueModule,
  CatalogueModule,
  type CatalogueModuleOptions,
} from './catalogue/catalogue.module.js';
export {
  subscriptionStatesModule,
  SubscriptionStatesModule,
} from './catalogue/subscription-states.module.js';
export { defineConfig, readConfig, ConfigError, serviceConfig, type ServiceConfig } from './config/config.js';
export {
  adminKeyVariable,
  catalogStalenessVariable,
  cidrListVariable,
  databaseUrlVariable,
  durationVariable,
  flagVariable,
  integerVariable,
  masterKeyVariable,
  portVariable,
  serviceUrlVariable,
  serviceVariables,
} from './config/variables.js';
export { HealthRegistry, type HealthReport, type HealthState } from './health/health-registry.js';
export { MAX_BODY_BYTES } from './http/http-adapter.js';
export { ProblemFilter } from './http/problem-filter.js';
export { kafkaModule, KafkaModule, type KafkaModuleOptions } from './kafka/kafka.module.js';
export { consumerProvider, consumerVariables } from './kafka/consumers.js';
export { Perseverance } from './kafka/perseverance.js';
export { runService, type ServiceName, type ServiceOptions } from './lifecycle/run-service.js';
export { Service, type ServiceAddresses, type ServiceParts } from './lifecycle/service.js';
export { createLogger, LOGGER, type LoggerOptions } from './logging/logger.js';
export { DURATION_BUCKETS, Metrics } from './metrics/metrics.js';
export { serviceModule, ServiceModule } from './service.module.js';
