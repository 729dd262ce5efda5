import { Injectable } from '@nestjs/common';
import type { CompiledSubscription } from '@quittance/catalog';
import type { DeliveryRecord, TraceContext } from '@quittance/contracts';
import { DURATION_BUCKETS, Metrics } from '@quittance/service';
import { clientSpan } from '@quittance/telemetry';
import { WebhookClient, webhookHeaders } from '@quittance/webhooks';
import { isDown, resultOf, resultOfError, type AttemptResult } from './attempt-result.js';
import { Egress } from './egress.js';
import { SigningKeys } from './signing-keys.js';
import { UrlChoice } from './url-choice.js';

export type { AttemptResult } from './attempt-result.js';

/** What all requests of an attempt have in common. */
interface Attempt {
  delivery: DeliveryRecord;
  subscription: CompiledSubscription;
  /** The span under which they are made. */
  parent: TraceContext;
  signal: AbortSignal;
}

/** Makes one attempt: a signed request, and others to the fallback URLs while those before are down. */
@Injectable()
export class AttemptService {
  private readonly durations;

  constructor(
    private readonly client: WebhookClient,
    private readonly keys: SigningKeys,
    private readonly egress: Egress,
    private readonly choice: UrlChoice,
    metrics: Metrics,
  ) {
    this.durations = metrics.histogram(
      'http_client_request_duration_seconds',
      'Duration of requests to subscribers.',
      ['outcome'],
      DURATION_BUCKETS,
    );
  }

  /**
   * @param parent the span under which the requests are made
   * @throws WebhookError `aborted` only, when the process stops before the answer is there: this was no attempt
   */
  async attempt(
    delivery: DeliveryRecord,
    subscription: CompiledSubscription,
    parent: TraceContext,
    signal: AbortSignal,
  ): Promise<AttemptResult> {
    const attempt = { delivery, subscription, parent, signal };
    const { url, fallbackUrls } = subscription.resource.spec.destination.webhook;
    if (fallbackUrls.length === 0) return this.request(attempt, url);
    return this.tryInTurn(attempt, [url, ...fallbackUrls]);
  }

  /** Each URL has the subscription's whole timeout. */
  private async tryInTurn(attempt: Attempt, urls: readonly string[]): Promise<AttemptResult> {
    const { resource } = attempt.subscription;
    const started = this.choice.start(resource);
    const order = [started, ...Array.from(urls.keys()).filter((index) => index !== started)];
    let last: AttemptResult | undefined;
    for (const index of order) {
      const result = await this.request(attempt, urls[index]!);
      if (index > 0) result.fallback = index;
      last = last ? following(last, result) : result;
      if (isDown(result)) continue;
      if (result.status !== null) this.choice.answered(resource, started, index);
      break;
    }
    return last!;
  }

  private async request(attempt: Attempt, url: string): Promise<AttemptResult> {
    const { delivery, subscription, parent, signal } = attempt;
    const span = clientSpan('POST', url, {
      parent,
      attributes: () => ({
        'quittance.event.id': delivery.eventId,
        'quittance.delivery.id': delivery.deliveryId,
        'quittance.subscription': `${delivery.namespace}/${delivery.subscription}`,
        'quittance.attempt': delivery.attempt,
        ...(delivery.attempt > 1 ? { 'http.request.resend_count': delivery.attempt - 1 } : {}),
      }),
    });
    try {
      const headers = this.headers(delivery, subscription, span.context);
      const response = await this.client.post({
        url,
        pool: delivery.subscriptionUid,
        maxConnections: subscription.resource.spec.delivery.concurrency,
        headers,
        body: delivery.body,
        timeoutMs: subscription.timeoutMs,
        egress: this.egress.of(delivery.namespace),
        signal,
      });
      const result = resultOf(response);
      span.setAttribute('http.response.status_code', response.status);
      if (result.verdict !== 'success') span.fail(String(response.status));
      this.durations.observe(
        { outcome: `${Math.floor(response.status / 100)}xx` },
        response.durationMs / 1000,
      );
      return result;
    } catch (error) {
      const result = resultOfError(error);
      span.fail(result.error?.code ?? 'error', result.error?.message);
      this.durations.observe({ outcome: result.error?.code ?? 'error' }, result.durationMs / 1000);
      return result;
    } finally {
      span.end();
    }
  }

  private headers(
    delivery: DeliveryRecord,
    subscription: CompiledSubscription,
    trace: TraceContext,
  ): Record<string, string> {
    const headers: Record<string, string> = {
      ...delivery.httpHeaders,
      'content-type': delivery.contentType,
      traceparent: trace.traceparent,
      ...webhookHeaders({
        id: delivery.deliveryId,
        timestampSeconds: Math.floor(Date.now() / 1000),
        body: delivery.body,
        ...this.keys.of(subscription.resource),
      }),
    };
    if (trace.tracestate !== undefined) headers['tracestate'] = trace.tracestate;
    return headers;
  }
}

/** What the attempt has come to with one more request. */
function following(before: AttemptResult, result: AttemptResult): AttemptResult {
  const durationMs = before.durationMs + result.durationMs;
  const both = { ...result, durationMs };
  // A URL that must not be reached is no sign of life from a subscriber whose other URLs are down.
  if (result.error?.code === 'address_blocked') both.isOutage = before.isOutage;
  if (result.verdict !== 'success' && before.retryAfterMs !== undefined) {
    both.retryAfterMs = Math.max(before.retryAfterMs, result.retryAfterMs ?? 0);
  }
  return both;
}
