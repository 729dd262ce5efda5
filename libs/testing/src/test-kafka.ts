import { join } from 'node:path';
import { startKafka } from '../../../deploy/local/kafka.ts';
import { fetchKafkaJars } from '../../../deploy/local/kafka-jars.ts';
import { freePorts } from '../../../deploy/local/ports.ts';
import { ROOT } from '../../../deploy/local/settings.ts';
import { createTestFolder } from './test-folder.js';

export interface TestKafka {
  /** `host:port`. */
  readonly brokers: string;
  readonly pid: number;
  /** Stops the broker cleanly. The data stay. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. The data stay. */
  kill(): Promise<void>;
  /** Starts it again, on the same port with the same data. */
  start(): Promise<void>;
  /** Stops it for good and deletes its data. */
  remove(): Promise<void>;
}

/** A real Kafka of its own, on free ports of 127.0.0.1; ready in about four seconds. */
export async function startTestKafka(): Promise<TestKafka> {
  const libsDir = join(ROOT, '.local', 'kafka-libs');
  await fetchKafkaJars(libsDir, () => undefined);
  const folder = await createTestFolder('kafka');
  const [port = 0, controllerPort = 0] = await freePorts(2);
  const start = () =>
    startKafka({
      libsDir,
      dataDir: join(folder.path, 'data'),
      logFile: join(folder.path, 'kafka.log'),
      port,
      controllerPort,
    });
  let server = await start();
  return {
    brokers: server.brokers,
    get pid() {
      return server.pid;
    },
    stop: () => server.stop(),
    kill: () => server.kill(),
    start: async () => {
      server = await start();
    },
    remove: async () => {
      await server.stop();
      await folder.remove();
    },
  };
}
