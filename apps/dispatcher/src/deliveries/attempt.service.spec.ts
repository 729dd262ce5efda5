import type { CompiledSubscription } from '@quittance/catalog';
import { Metrics } from '@quittance/service';
import { WebhookClient, WebhookError } from '@quittance/webhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { delivery } from '../guards/guard.fixture.js';
import {
  box,
  catalogueWith,
  openEndpoint,
  seal,
  subscriptionAt,
  type TestEndpoint,
} from './attempt.fixture.js';
import { AttemptService } from './attempt.service.js';
import { Egress } from './egress.js';
import { SigningKeys } from './signing-keys.js';
import { UrlChoice } from './url-choice.js';

const PARENT = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };

let client: WebhookClient;
let endpoints: TestEndpoint[];

beforeEach(async () => {
  client = new WebhookClient({ version: '1', allowLoopback: true });
  endpoints = await Promise.all([openEndpoint(), openEndpoint(), openEndpoint()]);
});
afterEach(async () => {
  await client.close();
  await Promise.all(endpoints.map((endpoint) => endpoint.close()));
});

/** @returns what makes attempts, under the namespace's egress rules */
async function attempts(egress: Record<string, unknown> = {}) {
  const rules = new Egress(await catalogueWith(egress));
  const service = new AttemptService(
    client,
    new SigningKeys(box),
    rules,
    new UrlChoice(),
    new Metrics('dispatcher'),
  );
  return (subscription: CompiledSubscription, signal = new AbortController().signal) =>
    service.attempt(delivery('dlv_1'), subscription, PARENT, signal);
}

function answering(index: number, status: number, headers: Record<string, string> = {}): void {
  endpoints[index]!.answer = (response) => response.writeHead(status, headers).end('because');
}

const requests = (): number[] => endpoints.map(({ seen }) => seen.length);
const urls = (): string[] => endpoints.map(({ url }) => url);

describe('an attempt', () => {
  it.each([
    [200, 'success', false],
    [204, 'success', false],
    [410, 'gone', false],
    [302, 'failed', false],
    [400, 'failed', false],
    [408, 'failed', true],
    [429, 'failed', true],
    [500, 'failed', true],
    [503, 'failed', true],
  ] as const)('answered %i is a %s, an outage: %s', async (status, verdict, isOutage) => {
    const attempt = await attempts();
    answering(0, status);
    const result = await attempt(subscriptionAt([urls()[0]!]));
    expect(result).toMatchObject({ verdict, isOutage, status });
    expect(result.error === null).toBe(verdict === 'success');
    expect(result).not.toHaveProperty('fallback');
  });

  it('says how long the subscriber asks to wait', async () => {
    const attempt = await attempts();
    answering(0, 429, { 'retry-after': '120' });
    expect((await attempt(subscriptionAt([urls()[0]!]))).retryAfterMs).toBe(120_000);
  });

  it('without an answer is an outage; to an address that must not be reached it is none', async () => {
    const attempt = await attempts();
    await endpoints[0]!.close();
    expect(await attempt(subscriptionAt([urls()[0]!]))).toMatchObject({
      verdict: 'failed',
      isOutage: true,
      status: null,
      error: { code: 'connection_refused' },
    });
    expect(await attempt(subscriptionAt(['http://169.254.169.254/']))).toMatchObject({
      verdict: 'failed',
      isOutage: false,
      error: { code: 'address_blocked' },
    });
  });

  it.each([
    ['cannot be opened', 'sb1.00000000.AAAA', 'secret_unreadable'],
    ['is none', seal('hunter2'), 'secret_invalid'],
  ])('whose secret %s is not made, and no outage', async (_, sealed, code) => {
    const attempt = await attempts();
    const subscription = subscriptionAt([urls()[0]!]);
    const secrets = { ...subscription.resource.secrets, signing: [sealed] };
    const result = await attempt({ ...subscription, resource: { ...subscription.resource, secrets } });
    expect(result).toMatchObject({ verdict: 'failed', isOutage: false, error: { code } });
    expect(JSON.stringify(result)).not.toContain('hunter2');
    expect(requests()).toEqual([0, 0, 0]);
  });

  it('that is aborted was none', async () => {
    const attempt = await attempts();
    const stop = new AbortController();
    endpoints[0]!.answer = () => stop.abort();
    const error: unknown = await attempt(subscriptionAt(urls()), stop.signal).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(WebhookError);
    expect(error).toMatchObject({ code: 'aborted' });
    expect(requests()).toEqual([1, 0, 0]);
  });
});

describe('fallback URLs', () => {
  it.each([502, 503, 504])('are tried in order while those before answer %i', async (status) => {
    const attempt = await attempts();
    answering(0, status);
    answering(1, status);
    expect(await attempt(subscriptionAt(urls()))).toMatchObject({
      verdict: 'success',
      isOutage: false,
      status: 200,
      error: null,
      fallback: 2,
    });
    expect(requests()).toEqual([1, 1, 1]);
  });

  it('are tried when those before give no answer, each within the whole timeout', async () => {
    const attempt = await attempts();
    await endpoints[0]!.close();
    endpoints[1]!.answer = () => {};
    const result = await attempt(subscriptionAt(urls(), 300));
    expect(result).toMatchObject({ verdict: 'success', fallback: 2 });
    expect(result.durationMs).toBeGreaterThanOrEqual(299);
  });

  it.each([200, 301, 400, 404, 410, 429, 500])('are left alone when the first answers %i', async (status) => {
    const attempt = await attempts();
    answering(0, status);
    const result = await attempt(subscriptionAt(urls()));
    expect(result.status).toBe(status);
    expect(result).not.toHaveProperty('fallback');
    expect(requests()).toEqual([1, 0, 0]);
  });

  it('are signed each, and each request has a span of its own in the same trace', async () => {
    const attempt = await attempts();
    answering(0, 503);
    await attempt(subscriptionAt(urls()));
    const [first, second] = endpoints.map(({ seen }) => seen[0]);
    expect([first?.['webhook-id'], second?.['webhook-id']]).toEqual(['dlv_1', 'dlv_1']);
    expect(second?.['webhook-signature']).toMatch(/^v1,/);
    const [, trace, span] = String(first?.['traceparent']).split('-');
    const [, otherTrace, otherSpan] = String(second?.['traceparent']).split('-');
    expect(trace).toBe(PARENT.traceparent.split('-')[1]);
    expect(otherTrace).toBe(trace);
    expect(otherSpan).not.toBe(span);
  });

  it('that answered come first in the attempts after that, and another when they go down', async () => {
    const attempt = await attempts();
    const subscription = subscriptionAt(urls());
    answering(0, 503);
    expect((await attempt(subscription)).fallback).toBe(1);
    expect((await attempt(subscription)).fallback).toBe(1);
    expect(requests()).toEqual([1, 2, 0]);
    answering(1, 502);
    expect((await attempt(subscription)).fallback).toBe(2);
    expect(requests()).toEqual([2, 3, 1]);
    answering(0, 200);
    answering(2, 504);
    expect(await attempt(subscription)).not.toHaveProperty('fallback');
    expect(requests()).toEqual([3, 3, 2]);
    expect(await attempt(subscription)).not.toHaveProperty('fallback');
  });

  it('that fail as well leave the last failure, and the longest wait that was asked for', async () => {
    const attempt = await attempts();
    answering(0, 503, { 'retry-after': '120' });
    answering(1, 503, { 'retry-after': '60' });
    await endpoints[2]!.close();
    expect(await attempt(subscriptionAt(urls()))).toMatchObject({
      verdict: 'failed',
      isOutage: true,
      status: null,
      fallback: 2,
      retryAfterMs: 120_000,
      error: { code: 'connection_refused' },
    });
  });

  it('show that the subscriber is there by any answer', async () => {
    const attempt = await attempts();
    answering(0, 503, { 'retry-after': '120' });
    answering(1, 404);
    expect(await attempt(subscriptionAt(urls()))).toMatchObject({
      isOutage: false,
      status: 404,
      fallback: 1,
    });
    expect(requests()).toEqual([1, 1, 0]);
  });

  it('are held to the egress rules as well, and show nothing when they are refused', async () => {
    const ports = [Number(new URL(urls()[0]!).port)];
    const attempt = await attempts({ ports });
    await endpoints[0]!.close();
    expect(await attempt(subscriptionAt(urls()))).toMatchObject({
      verdict: 'failed',
      isOutage: true,
      fallback: 1,
      error: { code: 'address_blocked' },
    });
    expect(requests()).toEqual([0, 0, 0]);
  });

  it('are not tried any more when the process stops', async () => {
    const attempt = await attempts();
    const stop = new AbortController();
    endpoints[0]!.answer = (response) => response.writeHead(503).end(() => stop.abort());
    await expect(attempt(subscriptionAt(urls()), stop.signal)).rejects.toMatchObject({ code: 'aborted' });
    await vi.waitFor(() => expect(requests()[0]).toBe(1));
    expect(requests().slice(1)).toEqual([0, 0]);
  });
});
