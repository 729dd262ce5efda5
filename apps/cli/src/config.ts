import { serviceVariables } from '@quittance/service';
import * as z from 'zod';

/** The variables that the services read, too, and nothing else: other settings of a shell are no concern of ours. */
export const cliConfig = z
  .object({
    QUITTANCE_KAFKA_BROKERS: serviceVariables.QUITTANCE_KAFKA_BROKERS,
    QUITTANCE_TOPIC_PREFIX: serviceVariables.QUITTANCE_TOPIC_PREFIX,
    QUITTANCE_RETRY_LADDER: serviceVariables.QUITTANCE_RETRY_LADDER,
  })
  .transform((variables) => ({
    kafkaBrokers: variables.QUITTANCE_KAFKA_BROKERS,
    topicPrefix: variables.QUITTANCE_TOPIC_PREFIX,
    retryLadder: variables.QUITTANCE_RETRY_LADDER,
  }));
export type CliConfig = z.output<typeof cliConfig>;
