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
