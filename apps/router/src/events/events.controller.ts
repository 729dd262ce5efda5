import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { decodeEvent, Topics, type IncomingRecord } from '@quittance/contracts';
import { done, type HandlerOutcome, type RecordContext } from '@quittance/kafka';
import { consumerSpan } from '@quittance/telemetry';
import { EventRouter } from './event-router.js';

@Controller()
export class EventsController {
  private readonly group: string;

  constructor(
    private readonly router: EventRouter,
    topics: Topics,
  ) {
    this.group = topics.group('router');
  }

  /** Every event that ingest accepted, and every one that is to be delivered again. */
  @EventPattern<string>('events')
  async handle(@Payload() record: IncomingRecord, @Ctx() context: RecordContext): Promise<HandlerOutcome> {
    const event = decodeEvent(record);
    const span = consumerSpan(record, {
      group: this.group,
      parent: event.trace,
      attributes: () => ({
        'quittance.namespace': event.namespace,
        'quittance.event.id': event.attributes.id,
        'quittance.event.type': event.attributes.type,
      }),
    });
    try {
      await this.router.route({ record, event, span }, context);
      return done();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'internal';
      span.fail(code, error instanceof Error ? error.message : undefined);
      throw error;
    } finally {
      span.end();
    }
  }
}
