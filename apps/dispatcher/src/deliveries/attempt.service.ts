import { Injectable } from '@nestjs/common';
import type { CompiledSubscription } from '@quittance/catalog';
import type { DeliveryRecord, TraceContext } from '@quittance/contracts';
import { DURATION_BUCKETS, Metrics } from '@quittance/service';
import { clientSpan } from '@quittance/telemetry';
import {
  classifyResponse,
  SecretBoxError,
  WebhookClient,
  WebhookError,
  webhookHeaders,
  type WebhookResponse,
} from '@quittance/webhooks';
import { uuidv7 } from 'uuidv7';
import { Egress } from './egress.js';
import { SigningKeys } from './signing-keys.js';

/** What came of one attempt. */
export interface AttemptResult {
  attemptId: string;
  isSuccess: boolean;
  status: number | null;
  durationMs: number;
  error: { code: string; message: string } | null;
  /** The start of the answer. */
  response?: string;
  retryAfterMs?: number;
}

const KEPT_OF_FAILURE_BYTES = 8 * 1024;
const KEPT_OF_SUCCESS_BYTES = 256;

/** Makes one signed request. */
@Injectable()
export class AttemptService {
  private readonly durations;

  constructor(
    private readonly client: WebhookClient,
    private readonly keys: SigningKeys,
    private readonly egress: Egress,
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
   * @param parent the span under which the request is made
   * @throws WebhookError `aborted` only, when the process stops before the answer is there: this was no attempt
   */
  async attempt(
    delivery: DeliveryRecord,
    subscription: CompiledSubscription,
    parent: TraceContext,
    signal: AbortSignal,
  ): Promise<AttemptResult> {
    const { url } = subscription.resource.spec.destination.webhook;
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
        headers,
        body: delivery.body,
        timeoutMs: subscription.timeoutMs,
        egress: this.egress.of(delivery.namespace),
        signal,
      });
      const result = resultOf(response);
      span.setAttribute('http.response.status_code', response.status);
      if (!result.isSuccess) span.fail(String(response.status));
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
        keys: this.keys.of(subscription.resource),
      }),
    };
    if (trace.tracestate !== undefined) headers['tracestate'] = trace.tracestate;
    return headers;
  }
}

function resultOf({ status, body, durationMs, retryAfterMs }: WebhookResponse): AttemptResult {
  const isSuccess = classifyResponse(status) === 'success';
  const kept = body.subarray(0, isSuccess ? KEPT_OF_SUCCESS_BYTES : KEPT_OF_FAILURE_BYTES);
  return {
    attemptId: uuidv7(),
    isSuccess,
    status,
    durationMs,
    error: isSuccess ? null : { code: 'http_status', message: `The subscriber answered ${status}.` },
    ...(kept.length > 0 ? { response: kept.toString('utf8') } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function resultOfError(error: unknown): AttemptResult {
  const failed = { attemptId: uuidv7(), isSuccess: false, status: null };
  if (error instanceof WebhookError) {
    if (error.code === 'aborted') throw error;
    return { ...failed, durationMs: error.durationMs, error: { code: error.code, message: error.message } };
  }
  if (error instanceof SecretBoxError) {
    const message = `The signing secret cannot be opened (${error.code}): check QUITTANCE_MASTER_KEY of the dispatcher.`;
    return { ...failed, durationMs: 0, error: { code: 'secret_unreadable', message } };
  }
  throw error;
}
