import { Kafka, logLevel, type ISocketFactory, type logCreator } from 'kafkajs';
import { installCodec } from './codec/install.js';
import { patchIdleTimer } from './idle-timer-patch.js';

patchIdleTimer();
installCodec();

export interface KafkaSettings {
  /** `host:port` of brokers to begin with. */
  brokers: string[];
  /** Names this process in the broker's logs and quotas. */
  clientId: string;
  /** Opens connections to brokers; for networks where Kafka is reached through a proxy. */
  socketFactory?: ISocketFactory;
}

type Level = 'debug' | 'info' | 'warn' | 'error';

export type KafkaLog = (level: Level, message: string, extra: Record<string, unknown>) => void;

const LEVELS: Partial<Record<logLevel, Level>> = {
  [logLevel.ERROR]: 'error',
  [logLevel.WARN]: 'warn',
  [logLevel.INFO]: 'info',
  [logLevel.DEBUG]: 'debug',
};

/**
 * kafkajs says "error" of what it is about to try again, as every start on a fresh cluster shows ("the coordinator
 * is loading"). What fails for good reaches us as an error of its own.
 */
function severityOf(namespace: string, message: string, level: Level): Level {
  if (level !== 'error') return level;
  if (namespace === 'Connection' && message.startsWith('Response ')) return 'debug';
  return message.startsWith('Crash:') || message.startsWith('Restarting') ? 'warn' : level;
}

/** The connection settings and log of one process; publishers, readers and consumers are made from it. */
export class KafkaClient {
  /** Only this library uses it. */
  readonly kafka: Kafka;

  /** @param log where kafkajs's own lines from `warn` up go; left out: nowhere */
  constructor(
    readonly settings: KafkaSettings,
    readonly log: KafkaLog = () => undefined,
  ) {
    const creator: logCreator =
      () =>
      ({ namespace, level, log: entry }) => {
        // Said at every producer that does not retry for ever; ours begins anew with a fresh one instead.
        if (entry.message.startsWith('Limiting retries')) return;
        const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...extra } = entry;
        log(severityOf(namespace, message, LEVELS[level] ?? 'info'), message, {
          kafkajs: namespace,
          ...extra,
        });
      };
    this.kafka = new Kafka({
      clientId: settings.clientId,
      brokers: settings.brokers,
      logLevel: logLevel.WARN,
      logCreator: creator,
      ...(settings.socketFactory ? { socketFactory: settings.socketFactory } : {}),
      connectionTimeout: 3000,
      requestTimeout: 15_000,
      retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 8 },
    });
  }
}
