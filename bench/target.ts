import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchKafkaJars } from '../deploy/local/kafka-jars.ts';
import { freePorts } from '../deploy/local/ports.ts';
import { readSettings, SERVICES, type LocalSettings } from '../deploy/local/settings.ts';
import { LocalStack } from '../deploy/local/stack.ts';
import type { Measured } from './processes.ts';

/** The stack that is measured. */
export interface Target {
  host: string;
  ingestUrl: string;
  controlUrl: string;
  auditUrl: string;
  adminKey: string;
  kafka: { brokers: string; prefix: string; ladder?: string };
  processes: Measured[];
  /** How it was come by, for the report. */
  description: string;
  /** Ends it, if it was started for this measurement. */
  stop(): Promise<void>;
}

const PROBE_TIMEOUT_MS = 2_000;

/** The stack on the default ports (or those of the environment), if all of its services are ready. */
export async function findRunningTarget(): Promise<Target | undefined> {
  const settings = readSettings(process.env);
  const ready = await Promise.all(
    SERVICES.map(async (name) => {
      const url = `http://${settings.host}:${settings.services[name].managementPort}/readyz`;
      const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).catch(
        () => undefined,
      );
      await response?.body?.cancel();
      return response?.ok === true;
    }),
  );
  if (!ready.every(Boolean)) return undefined;
  return targetOf(
    settings,
    process.env,
    'the stack that was running already, as it was configured',
    async () => undefined,
  );
}

/**
 * Starts a stack with empty stores beside whatever else runs, on ports and in a folder of its own.
 * @param own what the scenario needs of the stack, as environment variables; those of the shell go first
 * @param traceSink where the services export to: `http://host:port`
 * @param signal calls the start off; what has started then is stopped
 */
export async function startTarget(
  own: Record<string, string>,
  traceSink: string,
  say: (who: string, text: string) => void,
  signal: AbortSignal,
): Promise<Target> {
  const usual = readSettings(process.env);
  const directory = join(usual.directory, 'bench');
  const jars = join(usual.directory, 'kafka-libs');
  await fetchKafkaJars(jars, (line) => say('kafka', line));
  await mkdir(directory, { recursive: true });
  await symlink(jars, join(directory, 'kafka-libs')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });

  const env: NodeJS.ProcessEnv = {
    ...own,
    ...process.env,
    ...(await ownPorts(usual.host)),
    QUITTANCE_LOCAL_DIR: directory,
    OTEL_EXPORTER_OTLP_ENDPOINT: traceSink,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_TRACES_SAMPLER_ARG: '0.1',
  };
  const settings = readSettings(env);
  const stack = new LocalStack({
    settings,
    env,
    fresh: true,
    demo: false,
    // Thousands of them, when subscriptions are deleted whose deliveries were never taken. They stand in the log.
    say: (who, text) => !text.startsWith('WARN Delivery dead') && say(who, text),
  });
  const callOff = (): void => void stack.stop();
  signal.addEventListener('abort', callOff, { once: true });
  try {
    signal.throwIfAborted();
    await stack.start();
  } catch (error) {
    await stack.stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', callOff);
  }
  const differences = Object.keys(own).map((name) => `, ${name}=${env[name]}`);
  return targetOf(
    settings,
    env,
    `a stack of its own with empty stores, 10 % of the traces exported to a sink${differences.join('')}`,
    () => stack.stop(),
  );
}

async function ownPorts(host: string): Promise<Record<string, string>> {
  const names = [
    'QUITTANCE_KAFKA_PORT',
    'QUITTANCE_KAFKA_CONTROLLER_PORT',
    'QUITTANCE_POSTGRES_PORT',
    'QUITTANCE_INGEST_PORT',
    'QUITTANCE_CONTROL_PORT',
    'QUITTANCE_AUDIT_PORT',
    ...SERVICES.map((name) => `QUITTANCE_${name.toUpperCase()}_MANAGEMENT_PORT`),
  ];
  const ports = await freePorts(names.length, host);
  return Object.fromEntries(names.map((name, index) => [name, String(ports[index])]));
}

function targetOf(
  settings: LocalSettings,
  env: NodeJS.ProcessEnv,
  description: string,
  stop: () => Promise<void>,
): Target {
  const { host, services, kafka, postgres, adminKey, topicPrefix } = settings;
  const ladder = env['QUITTANCE_RETRY_LADDER'];
  const url = (port: number | undefined): string => `http://${host}:${port}`;
  return {
    host,
    ingestUrl: url(services.ingest.port),
    controlUrl: url(services.control.port),
    auditUrl: url(services.audit.port),
    adminKey,
    kafka: { brokers: `${host}:${kafka.port}`, prefix: topicPrefix, ...(ladder && { ladder }) },
    processes: [
      ...(['ingest', 'router', 'dispatcher', 'audit', 'control'] as const).map((name) => ({
        name,
        port: services[name].managementPort,
        isOwn: false,
      })),
      { name: 'kafka', port: kafka.port, isOwn: false },
      { name: 'postgres', port: postgres.port, isOwn: false },
    ],
    description,
    stop,
  };
}
