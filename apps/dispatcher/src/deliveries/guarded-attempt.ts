import { Inject, Injectable } from '@nestjs/common';
import { Topics, type DeliveryRecord, type IncomingRecord } from '@quittance/contracts';
import type { RecordContext } from '@quittance/kafka';
import { consumerSpan } from '@quittance/telemetry';
import type { Ending, Turn } from '../guards/admission.js';
import type { Guard } from '../guards/guard.js';
import { Guards } from '../guards/guards.js';
import { AttemptService, type AttemptResult } from './attempt.service.js';

/** One attempt under its subscription's guard: whatever comes of it, the turn is given back and learnt from. */
@Injectable()
export class GuardedAttempt {
  private readonly group: string;

  constructor(
    @Inject(AttemptService) private readonly attempts: Pick<AttemptService, 'attempt'>,
    private readonly guards: Guards,
    topics: Topics,
  ) {
    this.group = topics.group('dispatcher');
  }

  /**
   * Resolves when what was learnt from it is saved.
   * @throws WebhookError `aborted`, when the process stops before the answer is there: this was no attempt
   */
  async make(
    record: IncomingRecord,
    delivery: DeliveryRecord,
    guard: Guard,
    turn: Turn,
    context: RecordContext,
  ): Promise<AttemptResult> {
    const span = consumerSpan(record, { group: this.group, parent: delivery.trace });
    let ending: Ending = { verdict: 'aborted' };
    let mustSave = false;
    // Whoever brings back what was put off is to know, and need not be waited for.
    if (turn.isProbe) void this.guards.save(guard);
    try {
      const { signal } = context;
      const result = await this.attempts.attempt(delivery, guard.subscription, span.context, signal);
      if (result.verdict !== 'success') span.fail(result.error?.code ?? 'error', result.error?.message);
      ending = endingOf(delivery, result);
      return result;
    } finally {
      mustSave = guard.settle(turn, ending);
      span.end();
      if (mustSave) await this.guards.save(guard);
    }
  }
}

function endingOf(delivery: DeliveryRecord, result: AttemptResult): Ending {
  const { verdict, durationMs, status, error, isOutage } = result;
  if (verdict === 'success') return { verdict, durationMs };
  const failure = {
    deliveryId: delivery.deliveryId,
    code: error?.code ?? 'error',
    message: error?.message ?? 'The attempt failed.',
    status,
    isOutage,
  };
  if (verdict === 'gone') return { verdict, durationMs, failure };
  return { verdict, durationMs, failure, retryAfterMs: result.retryAfterMs };
}
