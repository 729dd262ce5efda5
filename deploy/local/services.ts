import { setTimeout as sleep } from 'node:timers/promises';
import { bundleOf } from './build.ts';
import { LocalStackError, logTail } from './errors.ts';
import { LogFile } from './log-file.ts';
import { LineReader } from './log-lines.ts';
import { startProcess, type Exit, type OwnedProcess } from './processes.ts';
import { runToEnd } from './run.ts';
import { ROOT, type ServiceName, type ServicePorts } from './settings.ts';

/** What the services of one installation share. */
export interface Installation {
  host: string;
  brokers: string;
  topicPrefix: string;
  adminKey: string;
  /** 32 bytes, base64. */
  masterKey: string;
  /** One URL per role. */
  databases: { owner: string; control: string; audit: string };
  services: Record<ServiceName, ServicePorts>;
  /** The environment that the services inherit; what an installation decides itself overrides it. */
  env: NodeJS.ProcessEnv;
}

export interface ServiceHandle {
  name: ServiceName;
  pid: number;
  exited: Promise<Exit>;
  /** Of its public API; of its management port where it has none. */
  url: string;
  managementUrl: string;
  /** Resolves once `/readyz` says yes. */
  ready(timeoutMs?: number): Promise<void>;
  /** SIGTERM: drains, then ends. */
  stop(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * As in the image. One thread beside the main one for collecting garbage and compiling; and a heap that has room: a small one,
 * which is what V8 comes down to in a quiet minute, is collected every few seconds under load, and ingest then took half as
 * much processor time again (docs/performance.md).
 */
const NODE_FLAGS = [
  '--enable-source-maps',
  '--v8-pool-size=1',
  '--no-memory-reducer',
  '--min-semi-space-size=16',
  '--heap-growing-percent=200',
];
/** Names that nobody answers for hold a thread each, and look-ups get half of them: as in the image. */
const USUAL = { QUITTANCE_ALLOW_LOOPBACK: 'true', UV_THREADPOOL_SIZE: '16' };
const STOP_GRACE_MS = 20_000;
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** What each service may know of the installation's secrets; none inherits one from the surrounding shell. */
const SECRETS: Record<ServiceName, readonly ('adminKey' | 'masterKey' | 'control' | 'audit')[]> = {
  control: ['adminKey', 'masterKey', 'control'],
  ingest: ['adminKey', 'masterKey'],
  router: [],
  dispatcher: ['masterKey'],
  audit: ['adminKey', 'audit'],
};
/** What an installation decides for each service. */
const DECIDED = ['QUITTANCE_PORT', 'QUITTANCE_ADMIN_KEY', 'QUITTANCE_MASTER_KEY', 'QUITTANCE_DATABASE_URL'];

/** The environment of a service: the shared variables, and those secrets only that it needs. */
export function serviceEnv(name: ServiceName, installation: Installation): NodeJS.ProcessEnv {
  const { port, managementPort } = installation.services[name];
  const env: NodeJS.ProcessEnv = { ...USUAL, ...shared(installation) };
  env['QUITTANCE_MANAGEMENT_PORT'] = String(managementPort);
  if (port !== undefined) env['QUITTANCE_PORT'] = String(port);
  if (name === 'control') Object.assign(env, neighbours(installation));
  for (const secret of SECRETS[name]) {
    if (secret === 'adminKey') env['QUITTANCE_ADMIN_KEY'] = installation.adminKey;
    else if (secret === 'masterKey') env['QUITTANCE_MASTER_KEY'] = installation.masterKey;
    else env['QUITTANCE_DATABASE_URL'] = installation.databases[secret];
  }
  return env;
}

/** Control tries sources and subscriptions by asking other services. */
function neighbours({ host, services }: Installation): NodeJS.ProcessEnv {
  const url = (name: ServiceName): string => `http://${host}:${services[name].port}`;
  return { QUITTANCE_INGEST_URL: url('ingest'), QUITTANCE_AUDIT_URL: url('audit') };
}

/**
 * Runs the one-shot set-up: topics, roles, schemas, migrations.
 * @param topics sizes of the topics, as environment variables
 * @throws LocalStackError `setup_failed`
 */
export async function runSetup(installation: Installation, topics: Record<string, string>): Promise<string> {
  const { owner, control, audit } = installation.databases;
  const { code, output } = await runToEnd(process.execPath, [...NODE_FLAGS, bundleOf('control'), 'setup'], {
    cwd: ROOT,
    env: {
      ...shared(installation),
      ...topics,
      QUITTANCE_DATABASE_URL: owner,
      QUITTANCE_CONTROL_DATABASE_URL: control,
      QUITTANCE_AUDIT_DATABASE_URL: audit,
    },
  });
  if (code !== 0)
    throw new LocalStackError('setup_failed', `The set-up failed (exit code ${code}):\n${output}`);
  return output;
}

/**
 * Starts a built service. It is not ready yet when this resolves: see `ready`.
 * @param options.onLine gets every line that the service writes
 */
export async function startService(
  name: ServiceName,
  installation: Installation,
  options: { logFile: string; onLine?: (line: string) => void },
): Promise<ServiceHandle> {
  const { port, managementPort } = installation.services[name];
  const service = await startProcess({
    command: process.execPath,
    args: [...NODE_FLAGS, bundleOf(name)],
    cwd: ROOT,
    env: serviceEnv(name, installation),
    output: 'pipe',
    stopSignal: 'SIGTERM',
    graceMs: STOP_GRACE_MS,
    // Draining needs Kafka, which ends at the same time; what was not finished is done again after the next start.
    orphanSignal: 'SIGKILL',
  });
  forwardOutput(service, options.logFile, options.onLine);
  const managementUrl = `http://${installation.host}:${managementPort}`;
  return {
    name,
    pid: service.pid,
    exited: service.exited,
    url: port === undefined ? managementUrl : `http://${installation.host}:${port}`,
    managementUrl,
    ready: (timeoutMs = READY_TIMEOUT_MS) =>
      untilReady(service, { name, url: `${managementUrl}/readyz`, logFile: options.logFile, timeoutMs }),
    stop: async () => void (await service.stop()),
    kill: async (signal) => void (await service.kill(signal)),
  };
}

function shared(installation: Installation): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...installation.env,
    QUITTANCE_HOST: installation.host,
    QUITTANCE_KAFKA_BROKERS: installation.brokers,
    QUITTANCE_TOPIC_PREFIX: installation.topicPrefix,
  };
  for (const name of DECIDED) delete env[name];
  return env;
}

function forwardOutput(service: OwnedProcess, logFile: string, onLine?: (line: string) => void): void {
  const log = new LogFile(logFile);
  const { stdout, stderr } = service.child;
  for (const stream of [stdout, stderr]) {
    const lines = new LineReader(onLine ?? (() => undefined));
    stream?.on('data', (chunk: Buffer) => {
      log.write(chunk);
      if (onLine) lines.push(chunk);
    });
    stream?.once('end', () => lines.end());
  }
  service.child.once('close', () => log.close());
}

async function untilReady(
  service: OwnedProcess,
  probe: { name: string; url: string; logFile: string; timeoutMs: number },
): Promise<void> {
  const deadline = performance.now() + probe.timeoutMs;
  let last = 'it did not answer';
  while (service.running && performance.now() < deadline) {
    try {
      const response = await fetch(probe.url, { signal: AbortSignal.timeout(2_000) });
      const body = await response.text();
      if (response.ok) return;
      last = body.trim().slice(0, 1000);
    } catch {
      // Not listening yet.
    }
    await Promise.race([sleep(POLL_MS), service.exited]);
  }
  const how = service.running
    ? `is not ready after ${probe.timeoutMs / 1000} s: ${last}`
    : 'ended while it started';
  throw new LocalStackError(
    'service_not_ready',
    `${probe.name} ${how}. The end of ${probe.logFile}:\n${logTail(probe.logFile)}`,
  );
}
