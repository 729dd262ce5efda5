import type { Logger } from 'pino';
import { flushLogger } from '../logging/logger.js';

/** Shorter than the 30 s that Kubernetes waits before it kills. */
const SHUTDOWN_DEADLINE_MS = 25_000;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export interface Ending {
  /** Closes everything; `enter` names what is being closed now, for whoever asks why it hangs. */
  close(enter: (stage: string) => void): Promise<void>;
}

/**
 * Ends the process in order on SIGTERM and SIGINT: exit code 0, or 1 with the name of what hung after 25 s. A second
 * signal exits at once. An error that nobody caught is logged and ends the process with 1, because its state is unknown.
 */
export function endOnSignals(logger: Logger, ending: Ending): void {
  let stage: string | undefined;

  const exit = async (code: number): Promise<void> => {
    await flushLogger(logger);
    process.exit(code);
  };

  const shutDown = async (signal: NodeJS.Signals): Promise<void> => {
    if (stage !== undefined) {
      logger.warn({ signal, stage }, 'A second signal: exiting at once.');
      await exit(1);
      return;
    }
    stage = 'starting to shut down';
    logger.info({ signal }, 'Shutting down.');
    const begun = performance.now();
    setTimeout(() => {
      logger.fatal(
        { stage },
        `Shutting down hung in this stage for longer than ${SHUTDOWN_DEADLINE_MS / 1000} s: ${stage}`,
      );
      void exit(1);
    }, SHUTDOWN_DEADLINE_MS).unref();
    try {
      await ending.close((next) => {
        stage = next;
      });
      logger.info({ durationMs: Math.round(performance.now() - begun) }, 'Shut down.');
      await exit(0);
    } catch (error) {
      logger.fatal({ err: error, stage }, 'Shutting down failed.');
      await exit(1);
    }
  };

  for (const signal of SIGNALS) process.on(signal, () => void shutDown(signal));
  const die = (kind: string) => (error: unknown) => {
    logger.fatal({ err: error }, `${kind}: the process ends, because its state is unknown.`);
    void exit(1);
  };
  process.on('unhandledRejection', die('A promise was rejected that nobody awaited'));
  process.on('uncaughtException', die('An error was thrown that nobody caught'));
}
