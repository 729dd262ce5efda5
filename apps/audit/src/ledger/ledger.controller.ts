import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { decodeEvent, decodeOutcome, UnreadableRecordError, type IncomingRecord } from '@quittance/contracts';
import { deadLetter, done, type HandlerOutcome } from '@quittance/kafka';
import { StoreError } from '@quittance/persistence';
import { consumerSpan } from '@quittance/telemetry';
import { LedgerWriter } from './ledger-writer.js';

export const CONSUMER_GROUP = Symbol('CONSUMER_GROUP');

const DONE = done();

/** Everything that happened, from Kafka into the ledger. A record is finished once its row is committed. */
@Controller()
export class LedgerController {
  constructor(
    @Inject(LedgerWriter) private readonly writer: LedgerWriter,
    @Inject(CONSUMER_GROUP) private readonly group: string,
  ) {}

  @EventPattern<string>('events')
  async recordEvent(@Payload() record: IncomingRecord): Promise<HandlerOutcome> {
    // Outcomes carry no context of their own: the event's trace ends with its being recorded.
    const span = consumerSpan(record, { group: this.group });
    try {
      await this.writer.writeEvent(decodeEvent(record), record);
      return DONE;
    } catch (error) {
      span.fail(error instanceof Error && 'code' in error ? String(error.code) : 'error');
      return deadLetterOf(error);
    } finally {
      span.end();
    }
  }

  @EventPattern<string>('outcomes')
  async recordOutcome(@Payload() record: IncomingRecord): Promise<HandlerOutcome> {
    try {
      await this.writer.writeOutcome(decodeOutcome(record), record);
      return DONE;
    } catch (error) {
      return deadLetterOf(error);
    }
  }
}

/** Only what will never succeed is given up; everything else is thrown on, and tried again in place. */
function deadLetterOf(error: unknown): HandlerOutcome {
  if (error instanceof UnreadableRecordError) return deadLetter(error.code, error.message);
  if (error instanceof StoreError && !error.retryable) {
    const state = error.sqlState === undefined ? '' : ` (SQLSTATE ${error.sqlState})`;
    return deadLetter('unstorable_record', `${error.message}${state}`);
  }
  throw error;
}
