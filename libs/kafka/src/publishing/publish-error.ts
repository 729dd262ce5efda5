import type { OutgoingRecord } from '@quittance/contracts';

export type PublishErrorCode =
  'kafka_unavailable' | 'record_too_large' | 'unknown_partition' | 'publisher_closed';

const RETRYABLE: Record<PublishErrorCode, boolean> = {
  // The record may or may not have been written: repeating it is harmless, because its identity is the same.
  kafka_unavailable: true,
  record_too_large: false,
  unknown_partition: true,
  publisher_closed: true,
};

/** A record that was not acknowledged by all in-sync replicas. */
export class PublishError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly code: PublishErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.retryable = RETRYABLE[code];
  }
}

/** Kafka, or the client, says that of a whole batch. */
export function isTooLarge(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { type } = cause as { type?: unknown };
    if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') return true;
  }
  return false;
}

export function tooLarge(record: OutgoingRecord, bytes: number, cause?: unknown): PublishError {
  return new PublishError(
    'record_too_large',
    `A record of ${bytes} bytes is too large for the topic ${record.topic}.`,
    cause === undefined ? undefined : { cause },
  );
}

export function unknownPartition(record: OutgoingRecord): PublishError {
  const where = record.partition === undefined ? '' : ` partition ${record.partition}`;
  return new PublishError(
    'unknown_partition',
    `The topic ${record.topic} has no${where} that Kafka acknowledges.`,
  );
}
