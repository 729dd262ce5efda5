export { freePorts } from '../../../deploy/local/ports.ts';
export { type ServiceName } from '../../../deploy/local/settings.ts';
export { differencesOf, routesOf, type ApiRoute } from './api-routes.js';
export { ApiClient, UnexpectedAnswerError, type ApiClientOptions, type ApiResponse } from './api-client.js';
export { startServices, TestInstallation, type StartServicesOptions } from './installation.js';
export { createOtlpReceiver, type OtlpReceiver } from './otlp-receiver.js';
export { type ReceivedSpan } from './otlp-spans.js';
export {
  createReceiver,
  type ReceivedRequest,
  type Receiver,
  type ReceiverOptions,
  type Reply,
  type Responder,
} from './receiver.js';
export { type TestStores } from './stores.js';
export { createTestFolder, type TestFolder } from './test-folder.js';
export { startTestKafka, type TestKafka } from './test-kafka.js';
export { startTestPostgres, type TestPostgres } from './test-postgres.js';
export { TestService } from './test-service.js';
export { waitUntil, type WaitOptions } from './wait-until.js';
