import { diag, DiagLogLevel, trace } from '@opentelemetry/api';
import { pendingIds, setSpanSink } from './span.js';

const DEFAULT_RATIO = 0.1;
const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.44.0';
/** The sampling decision was made when the span began; the SDK only sees spans that are to be exported. */
const RECORD_AND_SAMPLED = 2;

const silent = (): void => {};

export interface TelemetryOptions {
  /** Becomes `service.name` as `quittance-<service>`. */
  service: string;
  version: string;
  /** Hears of the exporter's troubles. */
  log?: (level: 'warn' | 'error', message: string) => void;
  /** `process.env` unless given. The exporter itself reads its other `OTEL_EXPORTER_OTLP_*` variables from there. */
  env?: NodeJS.ProcessEnv;
}

export interface Telemetry {
  /** Whether spans leave the process at all. */
  readonly exporting: boolean;
  /** Exports what has ended so far. Never rejects. */
  shutdown(): Promise<void>;
}

/**
 * Starts the export of spans by OTLP, if `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set.
 * Without it spans still have ids and propagate them, and nothing of the SDK is loaded.
 * @throws RangeError when `OTEL_TRACES_SAMPLER_ARG` is not a number from 0 to 1
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const env = options.env ?? process.env;
  const ratio = readRatio(env['OTEL_TRACES_SAMPLER_ARG']);
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (!endpoint || env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') {
    return { exporting: false, shutdown: () => Promise.resolve() };
  }
  const [{ NodeSDK }, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
  ]);
  const { log } = options;
  if (log) {
    const warn = (message: string): void => log('warn', message);
    diag.setLogger(
      { error: (message) => log('error', message), warn, info: silent, debug: silent, verbose: silent },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
  }
  const sdk = new NodeSDK({
    resource: resources.defaultResource().merge(
      resources.resourceFromAttributes({
        'service.name': `quittance-${options.service}`,
        'service.version': options.version,
      }),
    ),
    // Not the process detector: it would export the command line and the user's name.
    resourceDetectors: [resources.serviceInstanceIdDetector, resources.hostDetector, resources.envDetector],
    traceExporter: new OTLPTraceExporter(),
    sampler: {
      shouldSample: () => ({ decision: RECORD_AND_SAMPLED }),
      toString: () => `ParentBased{root=TraceIdRatioBased{${ratio}}}`,
    },
    idGenerator: pendingIds,
    // Context is passed by hand, in `TraceContext`; nothing of ours reads a global propagator, and baggage must not leave.
    textMapPropagator: null,
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  setSpanSink({
    tracer: trace.getTracerProvider().getTracer('quittance', options.version, { schemaUrl: SCHEMA_URL }),
    ratio,
  });
  return {
    exporting: true,
    async shutdown() {
      setSpanSink(undefined);
      try {
        await sdk.shutdown();
      } catch (error) {
        log?.(
          'warn',
          `The last spans could not be exported: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      trace.disable();
    },
  };
}

function readRatio(text: string | undefined): number {
  if (text === undefined || text.trim() === '') return DEFAULT_RATIO;
  const ratio = Number(text);
  if (!(ratio >= 0 && ratio <= 1)) {
    throw new RangeError(`OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not "${text.slice(0, 40)}".`);
  }
  return ratio;
}
