import type { KafkaLog } from '@quittance/kafka';
import type { Logger } from 'pino';

const QUIET_MS = 10_000;
const MAX_REMEMBERED = 100;

/**
 * The Kafka client's lines as lines of ours. It says the same thing at every attempt to reach a broker, several times a
 * second: what was said within the last 10 s goes to `debug`.
 */
export function kafkaLog(logger: Logger): KafkaLog {
  const saidAt = new Map<string, number>();
  return (level, message, extra) => {
    if (level === 'debug') {
      logger.debug(extra, message);
      return;
    }
    const key = `${String(extra['kafkajs'] ?? '')} ${message}`;
    const now = performance.now();
    const isRepeated = now - (saidAt.get(key) ?? -Infinity) < QUIET_MS;
    if (!isRepeated) {
      if (saidAt.size >= MAX_REMEMBERED) saidAt.clear();
      saidAt.set(key, now);
    }
    logger[isRepeated ? 'debug' : level](extra, message);
  };
}
