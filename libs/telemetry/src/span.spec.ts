import { SpanKind, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { consumerSpan, producerSpan } from './messaging-span.js';
import { pendingIds, setSpanSink, startSpan } from './span.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = `00-${TRACE_ID}-00f067aa0ba902b7`;

describe('startSpan without an exporter', () => {
  it('has ids, and hands on an unsampled context of a new trace', () => {
    const span = startSpan('work', { kind: SpanKind.INTERNAL });
    expect(span.context).toEqual({ traceparent: `00-${span.traceId}-${span.spanId}-00` });
    expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it("stays in its parent's trace and keeps its decision and its tracestate", () => {
    const parent = { traceparent: `${PARENT}-01`, tracestate: 'vendor=1' };
    const span = startSpan('work', { kind: SpanKind.INTERNAL, parent });
    expect(span.traceId).toBe(TRACE_ID);
    expect(span.context).toEqual({
      traceparent: `00-${TRACE_ID}-${span.spanId}-01`,
      tracestate: 'vendor=1',
    });
  });

  it.each([
    'nonsense',
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${TRACE_ID}-${'0'.repeat(16)}-01`,
    `ff-${TRACE_ID}-00f067aa0ba902b7-01`,
    `${PARENT}-01-more`,
    `00-${TRACE_ID.toUpperCase()}-00f067aa0ba902b7-01`,
  ])('begins a new trace when the incoming traceparent is invalid: %s', (traceparent) => {
    const span = startSpan('work', { kind: SpanKind.INTERNAL, parent: { traceparent } });
    expect(span.traceId).not.toBe(TRACE_ID);
    expect(span.context.traceparent).toMatch(/-00$/);
  });

  it('reads a later version of traceparent', () => {
    const parent = { traceparent: `01-${TRACE_ID}-00f067aa0ba902b7-01-more` };
    expect(startSpan('work', { kind: SpanKind.INTERNAL, parent }).traceId).toBe(TRACE_ID);
  });

  it('drops a tracestate that is too long to pass on', () => {
    const parent = { traceparent: `${PARENT}-01`, tracestate: `a=${'x'.repeat(600)}` };
    expect(startSpan('work', { kind: SpanKind.INTERNAL, parent }).context.tracestate).toBeUndefined();
  });
});

describe('startSpan with an exporter', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    idGenerator: pendingIds,
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    sampler: { shouldSample: () => ({ decision: 2 }), toString: () => 'all' },
  });
  beforeEach(() => {
    exporter.reset();
    setSpanSink({ tracer: provider.getTracer('spec'), ratio: 0.25 });
  });
  afterEach(() => setSpanSink(undefined));

  it('exports what was propagated, with times, attributes and links', () => {
    const span = startSpan('work', {
      kind: SpanKind.INTERNAL,
      parent: { traceparent: `${PARENT}-01` },
      links: [{ traceparent: `${PARENT}-01` }],
      attributes: () => ({ early: 1 }),
      startTime: 1_700_000_000_000,
    });
    span.setAttribute('late', 'two');
    span.end(1_700_000_000_250);
    span.end();
    const [read, ...others] = exporter.getFinishedSpans();
    expect(others).toEqual([]);
    expect(read?.spanContext()).toMatchObject({ traceId: TRACE_ID, spanId: span.spanId });
    expect(read?.parentSpanContext?.spanId).toBe('00f067aa0ba902b7');
    expect(read?.attributes).toEqual({ early: 1, late: 'two' });
    expect(read?.links).toHaveLength(1);
    expect(read?.duration).toEqual([0, 250_000_000]);
  });

  it('samples new traces at about the given ratio', () => {
    for (let i = 0; i < 4000; i++) startSpan('work', { kind: SpanKind.INTERNAL }).end();
    const sampled = exporter.getFinishedSpans().length;
    expect(sampled).toBeGreaterThan(800);
    expect(sampled).toBeLessThan(1200);
  });

  it('asks for attributes only when the span is exported', () => {
    let asked = 0;
    const attributes = () => {
      asked++;
      return {};
    };
    const unsampled = { traceparent: `${PARENT}-00` };
    startSpan('work', { kind: SpanKind.INTERNAL, parent: unsampled, attributes }).end();
    expect(asked).toBe(0);
    const failed = startSpan('work', { kind: SpanKind.INTERNAL, parent: unsampled, attributes });
    failed.fail('timeout');
    failed.end();
    expect(asked).toBe(1);
    expect(exporter.getFinishedSpans()[0]?.attributes).toEqual({ 'error.type': 'timeout' });
  });

  it('makes the consumer a child of the producer that also links to it', () => {
    const producer = producerSpan('events', { parent: { traceparent: `${PARENT}-01` } });
    const { traceparent } = producer.context;
    producer.end();
    consumerSpan(
      { topic: 'events', partition: 3, offset: 42n, key: Buffer.from('k'), headers: { traceparent } },
      { group: 'router' },
    ).end();
    const [sent, processed] = exporter.getFinishedSpans();
    expect(sent?.name).toBe('send events');
    expect(processed?.name).toBe('process events');
    expect(processed?.parentSpanContext?.spanId).toBe(producer.spanId);
    expect(processed?.links[0]?.context.spanId).toBe(producer.spanId);
    expect(processed?.attributes).toMatchObject({
      'messaging.consumer.group.name': 'router',
      'messaging.destination.partition.id': '3',
      'messaging.kafka.offset': 42,
      'messaging.kafka.message.key': 'k',
    });
  });

  it('leaves the global tracer alone', () => {
    expect(trace.getTracer('x').startSpan('y').isRecording()).toBe(false);
  });
});
