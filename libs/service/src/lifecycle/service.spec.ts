import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { Problem } from '@quittance/contracts';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineConfig, readConfig } from '../config/config.js';
import { portVariable } from '../config/variables.js';
import { Service, type ServiceAddresses } from './service.js';
import { createLogger } from '../logging/logger.js';

const release: (() => void)[] = [];

@Controller('/v1')
class SampleController {
  @Get('/things/:name')
  thing(): object {
    return { fine: true };
  }
  @Post('/things')
  create(@Body() body: unknown): unknown {
    return body;
  }
  @Get('/conflict')
  conflict(): never {
    throw new Problem('conflict', 'It changed.', { errors: [] }, { 'retry-after': '1' });
  }
  @Get('/broken')
  broken(): never {
    throw new Error('the secret reason');
  }
  @Get('/slow')
  async slow(): Promise<object> {
    await new Promise<void>((resolve) => release.push(resolve));
    return { finished: true };
  }
}

@Module({ controllers: [SampleController] })
class SampleModule {}

const lines: string[] = [];
const destination = new Writable({
  write(chunk: Buffer, _encoding, done) {
    lines.push(chunk.toString());
    done();
  },
});

async function problem(response: Response): Promise<object> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return { status: response.status, ...((await response.json()) as object) };
}

function post(url: string, body: string): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
}

function sampleService() {
  const config = readConfig(
    defineConfig({ QUITTANCE_PORT: portVariable(0), QUITTANCE_MANAGEMENT_PORT: portVariable(0) }),
    {},
  );
  return new Service({
    name: 'sample',
    config,
    logger: createLogger({ service: 'sample', version: '1.2.3', level: 'info', destination }),
    module: () => ({ module: SampleModule }),
    configureHttp: () => undefined,
  });
}

describe('a service with a public port', () => {
  const service = sampleService();
  let addresses: ServiceAddresses;
  const url = (path: string) => `http://127.0.0.1:${addresses.port}${path}`;
  const managementUrl = (path: string) => `http://127.0.0.1:${addresses.managementPort}${path}`;

  beforeAll(async () => {
    addresses = await service.start();
  });
  afterAll(() => service.close());

  it('answers, and lets nobody cache or sniff the answer', async () => {
    const response = await fetch(url('/v1/things/one'));
    expect(await response.json()).toEqual({ fine: true });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('answers a problem with its status, members and headers', async () => {
    const response = await fetch(url('/v1/conflict'));
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await problem(response)).toMatchObject({
      status: 409,
      code: 'conflict',
      detail: 'It changed.',
      errors: [],
    });
  });

  it('answers 404 to an unknown path, and 405 with the methods to a known one', async () => {
    expect(await problem(await fetch(url('/v2/nothing')))).toMatchObject({ status: 404, code: 'not_found' });
    // Whatever else is wrong with it: its body is too large, and of a type that nobody reads.
    const requests = [
      { method: 'DELETE' },
      { method: 'PATCH', body: new Blob(['a'.repeat(2 ** 21)], { type: 'a/b' }) },
    ];
    for (const request of requests) {
      const response = await fetch(url('/v1/things/one?x=1'), request);
      expect(response.headers.get('allow')).toContain('GET');
      expect(await problem(response)).toMatchObject({ status: 405, code: 'method_not_allowed' });
    }
  });

  it('answers 400 to JSON that is none, and 413 to a body over the limit', async () => {
    expect(await problem(await post(url('/v1/things'), '{'))).toMatchObject({
      status: 400,
      code: 'malformed_request',
    });
    expect(
      await problem(await post(url('/v1/things'), JSON.stringify('x'.repeat(1024 * 1024)))),
    ).toMatchObject({
      status: 413,
      code: 'payload_too_large',
    });
  });

  it('answers 400 to a path that is no path', async () => {
    expect(await problem(await fetch(url('/v1/things/%zz')))).toMatchObject({ code: 'malformed_request' });
  });

  it('hides an unforeseen error behind a 500, and logs it once with the trace id', async () => {
    const traceId = 'a'.repeat(32);
    const body = await problem(
      await fetch(url('/v1/broken'), { headers: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` } }),
    );
    expect(body).toMatchObject({ status: 500, code: 'internal', traceId });
    expect(JSON.stringify(body)).not.toContain('secret reason');
    const logged = lines.filter((line) => line.includes('secret reason'));
    expect(logged).toHaveLength(1);
    expect(JSON.parse(logged[0]!)).toMatchObject({ level: 'error', service: 'sample', trace_id: traceId });
  });

  it('is ready, and names a check that is not', async () => {
    expect((await fetch(managementUrl('/readyz'))).status).toBe(200);
    const forget = service.health.register('kafka', () => ({ ready: false, detail: 'connecting' }));
    const response = await fetch(managementUrl('/readyz'));
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      ready: false,
      checks: { kafka: { detail: 'connecting' } },
    });
    expect((await fetch(managementUrl('/livez'))).status).toBe(200);
    forget();
  });

  it('is not alive when a check says that only a restart helps', async () => {
    const forget = service.health.register('consumers', () => ({ ready: false, alive: false }));
    expect((await fetch(managementUrl('/livez'))).status).toBe(503);
    forget();
    expect((await fetch(managementUrl('/livez'))).status).toBe(200);
  });

  it('serves its metrics on the management port only', async () => {
    service.metrics.counter('sample_total', 'A sample.', ['result']).inc({ result: 'fine' });
    const text = await (await fetch(managementUrl('/metrics'))).text();
    expect(text).toContain('sample_total{result="fine",service="sample"} 1');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).toMatch(/http_server_request_duration_seconds_count\{.*route="\/v1\/things\/:name".*\}/);
    expect((await fetch(url('/metrics'))).status).toBe(404);
  });
});

describe('closing a service', () => {
  it('finishes the request under way, answers no new one, and is not ready meanwhile', async () => {
    const service = sampleService();
    const { port, managementPort } = await service.start();
    const slow = fetch(`http://127.0.0.1:${port}/v1/slow`);
    await expect.poll(() => release.length).toBe(1);
    const stages: string[] = [];
    const closed = service.close((stage) => stages.push(stage));
    expect((await fetch(`http://127.0.0.1:${managementPort}/readyz`)).status).toBe(503);
    await expect
      .poll(() =>
        fetch(`http://127.0.0.1:${port}/v1/things/one`).then(
          () => 'answered',
          () => 'refused',
        ),
      )
      .toBe('refused');
    release[0]!();
    expect(await (await slow).json()).toEqual({ finished: true });
    const began = performance.now();
    await closed;
    expect(performance.now() - began).toBeLessThan(2000);
    expect(stages).toContain('draining consumers');
    await expect(fetch(`http://127.0.0.1:${managementPort}/livez`)).rejects.toThrow('fetch failed');
  });
});
