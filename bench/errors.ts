/** The measurement cannot be made, or was not. The message says what to do. */
export class BenchError extends Error {
  readonly code: 'invalid_option' | 'worker_failed' | 'api_refused' | 'interrupted' | 'no_target';
  readonly retryable = false;

  constructor(code: BenchError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
