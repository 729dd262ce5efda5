import { pino, type DestinationStream, type Logger } from 'pino';

/** Injects the process's pino `Logger`. */
export const LOGGER = Symbol('LOGGER');

export interface LoggerOptions {
  service: string;
  version: string;
  level: string;
  /** Standard output unless given. */
  destination?: DestinationStream;
}

const SECRET_FIELDS = [
  'authorization',
  'password',
  'secret',
  'secrets',
  'credential',
  'adminKey',
  'masterKey',
];

/** One JSON object per line, times in ISO 8601, levels by name. Fields that hold secrets are blanked. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service, version: options.version },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' },
    },
    // Asynchronous: a full pipe must not stop the event loop. Whoever ends the process flushes first.
    options.destination ?? pino.destination({ dest: 1, sync: false }),
  );
}

/** Writes out what the logger still holds: before every exit. */
export function flushLogger(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(resolve, 1000);
    logger.flush(() => {
      clearTimeout(giveUp);
      resolve();
    });
  });
}
