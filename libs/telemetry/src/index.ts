export { SpanKind, type Attributes, type AttributeValue } from '@opentelemetry/api';
export { clientSpan, serverSpan, type HttpSpanOptions } from './http-span.js';
export {
  consumerSpan,
  producerSpan,
  type ConsumerSpanOptions,
  type ProducerSpanOptions,
} from './messaging-span.js';
export { startSpan, type ActiveSpan, type SpanOptions } from './span.js';
export { startTelemetry, type Telemetry, type TelemetryOptions } from './telemetry.js';
export { parseTraceparent, type SpanParent } from './traceparent.js';
