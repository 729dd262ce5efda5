import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientSpan } from './http-span.js';
import { startTelemetry, type Telemetry } from './telemetry.js';

const parent = (flags: string) => ({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}` });

describe('startTelemetry', () => {
  const bodies: Buffer[] = [];
  let server: Server;
  let telemetry: Telemetry;
  let sampledId: string;
  let failedId: string;
  let unsampledId: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks));
        response.writeHead(200).end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = url;
    telemetry = await startTelemetry({ service: 'sample', version: '9.8.7' });
    const sampled = clientSpan('POST', 'http://user:secret@example.test:81/hook?token=secret', {
      parent: parent('01'),
    });
    sampled.end();
    const unsampled = clientSpan('GET', url, { parent: parent('00') });
    unsampled.end();
    const failed = clientSpan('PUT', url, { parent: parent('00') });
    failed.fail('timeout', 'too late');
    failed.end();
    [sampledId, unsampledId, failedId] = [sampled.spanId, unsampled.spanId, failed.spanId];
    await telemetry.shutdown();
  });
  afterAll(() => {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    server.close();
  });

  const exported = () => Buffer.concat(bodies);

  it('exports sampled spans by OTLP under the ids that were propagated', () => {
    expect(telemetry.exporting).toBe(true);
    expect(exported().includes(Buffer.from(sampledId, 'hex'))).toBe(true);
    expect(exported().includes(Buffer.from('a'.repeat(32), 'hex'))).toBe(true);
  });

  it('exports a failed span of an unsampled trace, under its own id, and not its unsampled neighbour', () => {
    expect(exported().includes(Buffer.from(failedId, 'hex'))).toBe(true);
    expect(exported().includes('timeout')).toBe(true);
    expect(exported().includes(Buffer.from(unsampledId, 'hex'))).toBe(false);
  });

  it('names the service and its version', () => {
    expect(exported().includes('quittance-sample')).toBe(true);
    expect(exported().includes('9.8.7')).toBe(true);
  });

  it("keeps a URL's credentials and query out of the trace", () => {
    expect(exported().includes('http://example.test:81/hook')).toBe(true);
    expect(exported().includes('secret')).toBe(false);
  });

  it('exports nothing when no endpoint is set', async () => {
    const off = await startTelemetry({ service: 'sample', version: '1', env: {} });
    expect(off.exporting).toBe(false);
    await off.shutdown();
  });

  it('refuses a sampling ratio that is not one', async () => {
    const env = { OTEL_TRACES_SAMPLER_ARG: '10' };
    await expect(startTelemetry({ service: 'sample', version: '1', env })).rejects.toThrow(
      'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1',
    );
  });
});
