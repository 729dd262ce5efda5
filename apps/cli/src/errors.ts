export const EXIT = {
  /** Done, or there was nothing to do. */
  done: 0,
  /** It failed, or was refused: standard error says why. */
  notDone: 1,
  /** EX_USAGE of sysexits.h: the command line is wrong. */
  wrongUsage: 64,
  /** EX_CONFIG: the environment is wrong. */
  wrongConfiguration: 78,
} as const;

export type CliErrorCode =
  'usage' | 'refused' | 'not_confirmed' | 'topic_missing' | 'kafka_unreachable' | 'kafka_refused';

/** What a person reads who typed the command: the message says what to do. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly retryable: boolean;

  constructor(
    readonly code: CliErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.exitCode = code === 'usage' ? EXIT.wrongUsage : EXIT.notDone;
    this.retryable = code === 'kafka_unreachable';
  }
}
