import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import {
  decodeDelivery,
  encodeDelivery,
  encodeOutcome,
  Topics,
  type IncomingRecord,
} from '@quittance/contracts';
import { deadLetter, done, type HandlerOutcome } from '@quittance/kafka';
import { outcomeFacts } from '../deliveries/outcome-facts.js';
import { SubscriptionFinder } from '../subscriptions/subscription-finder.js';

/** Sends a due retry to its subscription's present home, so that one code path delivers. */
@Controller()
export class RetryHandler {
  constructor(
    private readonly finder: SubscriptionFinder,
    private readonly topics: Topics,
  ) {}

  @EventPattern<string>('retries')
  async handle(@Payload() record: IncomingRecord): Promise<HandlerOutcome> {
    const delivery = decodeDelivery(record);
    const subscription = await this.finder.find(delivery);
    if (subscription) {
      const { partition } = subscription.resource.status;
      return done({ onward: [encodeDelivery({ topic: this.topics.deliveries, partition }, delivery)] });
    }
    const error = {
      code: 'subscription_deleted',
      message: 'The subscription was deleted before its retry was due.',
    };
    return deadLetter(error.code, error.message, {
      ledger: [encodeOutcome(this.topics.outcomes, { type: 'dead', ...outcomeFacts(delivery), error })],
    });
  }
}
