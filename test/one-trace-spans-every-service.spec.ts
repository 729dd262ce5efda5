import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createOtlpReceiver,
  createReceiver,
  startServices,
  type OtlpReceiver,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';

let quittance: TestInstallation;
let collector: OtlpReceiver;
let receiver: Receiver;

beforeAll(async () => {
  collector = await createOtlpReceiver();
  receiver = await createReceiver();
  quittance = await startServices({
    ladder: '200ms',
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_TRACES_SAMPLER_ARG: '0',
      OTEL_BSP_SCHEDULE_DELAY: '200',
    },
  });
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
  await collector.close();
});

describe('an event of a sampled publisher', () => {
  it('is one trace from the publisher over every service and each attempt to the subscriber', async () => {
    receiver.respondWith((_request, index) => (index === 0 ? 500 : 200));
    const client = quittance.client();
    await client.putEventType('order.completed');
    await client.putSubscription('billing', {
      events: ['order.completed'],
      destination: { webhook: { url: `${receiver.url}?token=secret` } },
    });
    const key = await client.putApiKey('checkout');
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const publisherSpan = '00f067aa0ba902b7';
    const answer = await client.publish(
      { type: 'order.completed', data: {} },
      { key, headers: { traceparent: `00-${traceId}-${publisherSpan}-01`, tracestate: 'shop=1' } },
    );
    expect(answer.traceId).toBe(traceId);
    await receiver.waitFor(2);
    const posts = () => collector.trace(traceId).filter(({ kind }) => kind === 'client');
    const spans = await collector.waitForTrace(
      traceId,
      (all) => posts().length === 2 && all.some(({ service }) => service === 'quittance-audit'),
    );

    const services = new Set(spans.map(({ service }) => service));
    for (const name of ['ingest', 'router', 'dispatcher', 'audit'])
      expect(services).toContain(`quittance-${name}`);
    // Every span hangs on another span of the trace, up to the publisher's.
    const known = new Set([publisherSpan, ...spans.map(({ spanId }) => spanId)]);
    expect(
      spans.filter(({ parentSpanId }) => parentSpanId === undefined || !known.has(parentSpanId)),
    ).toEqual([]);

    // What the subscriber got continues the trace, under the span of that very attempt.
    for (const request of receiver.requests) {
      const [, trace, span, flags] = String(request.headers['traceparent']).split('-');
      expect(trace).toBe(traceId);
      expect(flags).toBe('01');
      expect(posts().map(({ spanId }) => spanId)).toContain(span);
      expect(request.headers['tracestate']).toBe('shop=1');
      expect(request.headers['baggage']).toBeUndefined();
    }
    expect(
      posts()
        .map(({ status, attributes }) => [status, attributes['http.response.status_code']])
        .sort(),
    ).toEqual([
      ['error', 500],
      ['unset', 200],
    ]);
    expect(
      JSON.stringify(spans, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain('token=secret');
    const process = spans.find(({ name }) => name.startsWith('process ') && name.endsWith('deliveries.v1'));
    expect(process).toMatchObject({
      kind: 'consumer',
      attributes: { 'messaging.system': 'kafka', 'messaging.operation.type': 'process' },
    });
    expect(process!.links).toHaveLength(1);
  });
});

describe('an event whose trace is not sampled', () => {
  it('has a trace id all the same, and its failed attempt is exported', async () => {
    receiver.requests.length = 0;
    receiver.respondWith((_request, index) => (index === 0 ? 500 : 200));
    const client = quittance.client();
    await client.putEventType('order.completed');
    await client.putSubscription('billing', {
      events: ['order.completed'],
      destination: { webhook: { url: receiver.url } },
    });
    const { traceId } = await client.publish({ type: 'order.completed', data: {} });
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    const [first] = await receiver.waitFor(2);
    expect(String(first!.headers['traceparent'])).toContain(traceId);
    const spans = await collector.waitForTrace(traceId, (all) => all.some(({ kind }) => kind === 'client'));
    expect(spans.filter(({ kind }) => kind === 'client').map(({ status }) => status)).toEqual(['error']);
  });
});
