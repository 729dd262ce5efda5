import { Module } from '@nestjs/common';
import { encodeOutcome, Topics, type KeyUsedOutcome } from '@quittance/contracts';
import { KafkaPublisher } from '@quittance/kafka';
import type { Logger } from 'pino';
import { LOGGER } from '../logging/logger.js';
import { KeyUsage } from './key-usage.js';

/** Provides `KeyUsage`, one for the whole process. Needs `kafkaModule`. */
@Module({
  providers: [
    {
      provide: KeyUsage,
      inject: [KafkaPublisher, Topics, LOGGER],
      useFactory: (publisher: KafkaPublisher, topics: Topics, logger: Logger) =>
        new KeyUsage(
          (outcome: KeyUsedOutcome) => publisher.publish(encodeOutcome(topics.outcomes, outcome)),
          logger,
        ),
    },
  ],
  exports: [KeyUsage],
})
export class KeyUsageModule {}
