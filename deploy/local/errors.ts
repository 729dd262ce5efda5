import { readFileSync } from 'node:fs';

/** The local stack cannot start or go on, for a reason that its user can act on. The message says how. */
export class LocalStackError extends Error {
  /** Stable: `kafka_failed`, `postgres_failed`, `build_failed`, `setup_failed`, `service_not_ready`, … */
  readonly code: string;
  readonly retryable = false;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The last lines of a log file, for an error message; empty when there is none. */
export function logTail(file: string, lines = 15): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}
