import { existsSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalStackError, logTail } from './errors.ts';
import { startProcess, type OwnedProcess } from './processes.ts';
import { runToEnd } from './run.ts';

export interface KafkaOptions {
  /** The jars, as `fetchKafkaJars` left them. */
  libsDir: string;
  /** Survives restarts; made when missing. */
  dataDir: string;
  logFile: string;
  port: number;
  controllerPort: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Java's heap at most, in MiB. Default 512. */
  heapMb?: number;
}

export interface KafkaHandle {
  pid: number;
  /** `host:port`, as `QUITTANCE_KAFKA_BROKERS` wants it. */
  brokers: string;
  exited: OwnedProcess['exited'];
  /** Lets Kafka end cleanly: what it has acknowledged is on disk. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 20_000;
const POLL_MS = 50;
/** Kafka's controller and broker are both up, and clients are answered. */
const STARTED = 'Kafka Server started';

/**
 * Formats the data folder if it is new, and starts a single node that is broker and controller at once.
 * Resolves when it answers clients.
 * @throws LocalStackError `kafka_failed`
 */
export async function startKafka(options: KafkaOptions): Promise<KafkaHandle> {
  const host = options.host ?? '127.0.0.1';
  const properties = join(options.dataDir, 'server.properties');
  const logDir = join(options.dataDir, 'log');
  await mkdir(options.dataDir, { recursive: true });
  await writeFile(properties, serverProperties(host, logDir, options));
  if (!existsSync(join(logDir, 'meta.properties'))) await format(options, properties);

  const log = await open(options.logFile, 'w');
  const kafka = await startProcess({
    command: javaCommand(),
    args: [...jvmFlags(options.heapMb ?? 512), '-cp', join(options.libsDir, '*'), 'kafka.Kafka', properties],
    output: log.fd,
    stopSignal: 'SIGTERM',
    graceMs: STOP_GRACE_MS,
  }).catch((error: unknown) => {
    throw new LocalStackError('kafka_failed', `Java cannot be started: ${String(error)}`, { cause: error });
  });
  await log.close();
  await untilStarted(kafka, options.logFile);
  return {
    pid: kafka.pid,
    brokers: `${host}:${options.port}`,
    exited: kafka.exited,
    stop: async () => void (await kafka.stop()),
    kill: async () => void (await kafka.kill()),
  };
}

/** `java` of `JAVA_HOME`, else of the path. */
export function javaCommand(): string {
  const home = process.env['JAVA_HOME'];
  const inHome = home ? join(home, 'bin', 'java') : '';
  return inHome && existsSync(inHome) ? inHome : 'java';
}

async function format(options: KafkaOptions, properties: string): Promise<void> {
  // Kafka writes its cluster id as the 16 bytes of a UUID in URL-safe base64.
  const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
  const { code, output } = await runToEnd(javaCommand(), [
    '-Xmx128m',
    '-XX:TieredStopAtLevel=1',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
    '-cp',
    join(options.libsDir, '*'),
    'kafka.tools.StorageTool',
    'format',
    '--ignore-formatted',
    `--cluster-id=${clusterId}`,
    `--config=${properties}`,
  ]);
  if (code !== 0) {
    throw new LocalStackError('kafka_failed', `Kafka could not format ${options.dataDir}:\n${output}`);
  }
}

async function untilStarted(kafka: OwnedProcess, logFile: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (kafka.running && performance.now() < deadline) {
    if ((await readFile(logFile, 'utf8')).includes(STARTED)) return;
    await Promise.race([sleep(POLL_MS), kafka.exited]);
  }
  const how = kafka.running ? `did not start within ${START_TIMEOUT_MS / 1000} s` : 'ended while it started';
  await kafka.kill();
  throw new LocalStackError('kafka_failed', `Kafka ${how}. The end of ${logFile}:\n${logTail(logFile)}`);
}

function jvmFlags(heapMb: number): string[] {
  return [
    `-Xms${Math.min(256, heapMb)}m`,
    `-Xmx${heapMb}m`,
    // As Kafka's own start script sets them.
    '-XX:+UseG1GC',
    '-XX:MaxGCPauseMillis=20',
    '-XX:InitiatingHeapOccupancyPercent=35',
    '-XX:+ExplicitGCInvokesConcurrent',
    '-Djava.awt.headless=true',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS',
    '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
  ];
}

function serverProperties(
  host: string,
  logDir: string,
  ports: { port: number; controllerPort: number },
): string {
  const properties: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${host}:${ports.controllerPort}`,
    listeners: `PLAINTEXT://${host}:${ports.port},CONTROLLER://${host}:${ports.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${host}:${ports.port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': logDir,
    'auto.create.topics.enable': false,
    // Waiting for further members makes sense for large groups only.
    'group.initial.rebalance.delay.ms': 0,
    'num.partitions': 1,
    'offsets.topic.num.partitions': 8,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // The default of 128 MiB is a quarter of this heap; the compacted topics here hold thousands of keys.
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
