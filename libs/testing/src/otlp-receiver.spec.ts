import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOtlpReceiver, type OtlpReceiver } from './otlp-receiver.js';

let receiver: OtlpReceiver;

beforeEach(async () => {
  receiver = await createOtlpReceiver();
});
afterEach(() => receiver.close());

describe('the OTLP receiver', () => {
  it('reads what the real exporter sends', async () => {
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'router' }),
      spanProcessors: [
        new SimpleSpanProcessor({
          exporter: new OTLPTraceExporter({ url: `${receiver.endpoint}/v1/traces` }),
        }),
      ],
    });
    const linked = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    const span = provider.getTracer('test').startSpan('process events', {
      kind: SpanKind.CONSUMER,
      attributes: { text: 'a', whole: -3, float: 0.5, yes: true, list: ['x', 'y'] },
      links: [{ context: linked }],
      startTime: [1_700_000_000, 5],
    });
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.end([1_700_000_001, 0]);
    await provider.shutdown();

    const { traceId, spanId } = span.spanContext();
    expect(await receiver.waitForTrace(traceId, (spans) => spans.length === 1)).toEqual([
      {
        traceId,
        spanId,
        parentSpanId: undefined,
        name: 'process events',
        kind: 'consumer',
        service: 'router',
        attributes: { text: 'a', whole: -3, float: 0.5, yes: true, list: ['x', 'y'] },
        links: [{ traceId: linked.traceId, spanId: linked.spanId }],
        status: 'error',
        startTime: 1_700_000_000_000_000_005n,
        endTime: 1_700_000_001_000_000_000n,
      },
    ]);
  });

  it('refuses what is not protobuf', async () => {
    const post = (body: string, type: string) =>
      fetch(`${receiver.endpoint}/v1/traces`, { method: 'POST', body, headers: { 'content-type': type } });
    expect((await post('{}', 'application/json')).status).toBe(415);
    expect((await post('\u0007', 'application/x-protobuf')).status).toBe(400);
    expect(receiver.spans).toEqual([]);
  });
});
