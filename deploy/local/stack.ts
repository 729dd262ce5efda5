import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildServices } from './build.ts';
import { startDemo, type DemoHandle } from './demo.ts';
import { startKafka } from './kafka.ts';
import { fetchKafkaJars } from './kafka-jars.ts';
import { acquireLock } from './lock.ts';
import { renderLogLine } from './log-lines.ts';
import { assertPortsFree } from './ports.ts';
import { postgresUrl, prepareDatabase, startPostgres } from './postgres.ts';
import { loadSecrets, type LocalSecrets } from './secrets.ts';
import { runSetup, startService, type Installation, type ServiceHandle } from './services.ts';
import { portClaims, SERVICES, type LocalSettings } from './settings.ts';
import { Supervisor, type Supervised } from './supervisor.ts';

export interface StackOptions {
  settings: LocalSettings;
  /** What the services inherit. */
  env: NodeJS.ProcessEnv;
  /** Delete all data first. */
  fresh: boolean;
  demo: boolean;
  say: (who: string, text: string) => void;
}

const DATABASE = 'quittance';
const OWNER = 'quittance_owner';
const PROGRESS_EVERY_MS = 5_000;

/** In the order in which they are stopped. */
const STAGES = ['demo', 'services', 'postgres', 'kafka', 'lock'] as const;
type Stage = (typeof STAGES)[number];

/** Kafka, Postgres and the five services on this machine, and the order in which they come and go. */
export class LocalStack {
  private readonly options: StackOptions;
  private readonly undo: { stage: Stage; run: () => Promise<void> }[] = [];
  private starting: Promise<void> | undefined;
  private stopped: Promise<void> | undefined;

  constructor(options: StackOptions) {
    this.options = options;
  }

  /**
   * Resolves when every service is ready. When it rejects, or `stop` is called meanwhile, `stop` undoes what was done.
   * @throws LocalStackError, PortsTakenError
   */
  start(): Promise<void> {
    this.starting ??= this.startAll().catch((error: unknown) => {
      throw this.stopped ? new StoppedError('The start was overtaken by a stop.', { cause: error }) : error;
    });
    return this.starting;
  }

  /** Demo, services (each drains), Postgres, Kafka, in this order. May be called at any time, and more than once. */
  stop(): Promise<void> {
    this.stopped ??= this.stopAll();
    return this.stopped;
  }

  private async startAll(): Promise<void> {
    const { settings, demo } = this.options;
    const { directory } = settings;
    await assertPortsFree(portClaims(settings, { demo }));
    this.undo.push({ stage: 'lock', run: await acquireLock(join(directory, 'lock')) });
    if (this.options.fresh) await this.wipe();
    await mkdir(join(directory, 'logs'), { recursive: true });
    const secrets = await loadSecrets(join(directory, 'data', 'secrets.json'));

    await this.startStores(secrets);
    this.assertWanted();
    const installation = await this.prepare(secrets);
    this.assertWanted();
    await this.startServices(installation);
    this.assertWanted();
    if (demo) await this.startDemo();
  }

  private async stopAll(): Promise<void> {
    // Whoever waits for services to be ready stops waiting when they end; any other step of the start is short.
    await this.undoStages(['demo', 'services']);
    await this.starting?.catch(() => undefined);
    await this.undoStages(STAGES);
  }

  private async undoStages(stages: readonly Stage[]): Promise<void> {
    for (const stage of stages) {
      const due = this.undo.filter((step) => step.stage === stage);
      for (const step of due) {
        this.undo.splice(this.undo.indexOf(step), 1);
        await step.run().catch((error: unknown) => {
          this.options.say('stack', `While stopping ${stage}: ${String(error)}`);
        });
      }
    }
  }

  private async wipe(): Promise<void> {
    const { settings, say } = this.options;
    say('stack', `Deleting all data in ${settings.directory} …`);
    for (const name of ['data', 'logs'])
      await rm(join(settings.directory, name), { recursive: true, force: true });
  }

  private async startStores(secrets: LocalSecrets): Promise<void> {
    const { settings, say } = this.options;
    const { directory, host, kafka, postgres } = settings;
    const libsDir = join(directory, 'kafka-libs');
    const log = (name: string): string => join(directory, 'logs', `${name}.log`);
    const results = await Promise.allSettled([
      (async () => {
        await fetchKafkaJars(libsDir, (line) => say('kafka', line));
        await this.supervise('kafka', () =>
          startKafka({
            ...kafka,
            host,
            libsDir,
            dataDir: join(directory, 'data', 'kafka'),
            logFile: log('kafka'),
          }),
        );
        say('kafka', `is up on ${host}:${kafka.port}`);
      })(),
      (async () => {
        await this.supervise('postgres', () =>
          startPostgres({
            ...postgres,
            host,
            dataDir: join(directory, 'data', 'postgres'),
            logFile: log('postgres'),
            password: secrets.postgres.superuser,
          }),
        );
        say('postgres', `is up on ${host}:${postgres.port}`);
      })(),
      buildServices((line) => say('build', line)),
    ]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  private async prepare(secrets: LocalSecrets): Promise<Installation> {
    const { settings, env, say } = this.options;
    const { host, postgres, kafka } = settings;
    const url = (user: string, password: string, database = DATABASE): string =>
      postgresUrl({ host, port: postgres.port, user, password, database });
    await prepareDatabase({
      adminUrl: url('postgres', secrets.postgres.superuser, 'postgres'),
      database: DATABASE,
      owner: OWNER,
      password: secrets.postgres.owner,
    });
    const installation: Installation = {
      host,
      brokers: `${host}:${kafka.port}`,
      topicPrefix: settings.topicPrefix,
      adminKey: settings.adminKey,
      masterKey: secrets.masterKey,
      databases: {
        owner: url(OWNER, secrets.postgres.owner),
        control: url('quittance_control', secrets.postgres.control),
        audit: url('quittance_audit', secrets.postgres.audit),
      },
      services: settings.services,
      env,
    };
    say('setup', 'Creating what is missing of topics, roles and tables …');
    await runSetup(installation, settings.topics);
    return installation;
  }

  private async startServices(installation: Installation): Promise<void> {
    const { settings, say } = this.options;
    const supervisors = SERVICES.map(
      (name) =>
        new Supervisor<ServiceHandle>({
          name,
          log: (line) => say('stack', line),
          start: () =>
            startService(name, installation, {
              logFile: join(settings.directory, 'logs', `${name}.log`),
              onLine: (line) => {
                const text = renderLogLine(line);
                if (text !== undefined) say(name, text);
              },
            }),
        }),
    );
    this.undo.push({
      stage: 'services',
      run: async () => void (await Promise.all(supervisors.map((supervisor) => supervisor.stop()))),
    });
    await Promise.all(supervisors.map((supervisor) => supervisor.start()));

    const waiting = new Set<string>(SERVICES);
    const progress = setInterval(
      () => say('stack', `Waiting for ${[...waiting].join(', ')} …`),
      PROGRESS_EVERY_MS,
    );
    try {
      await Promise.all(
        supervisors.map(async (supervisor) => {
          const service = supervisor.current;
          if (!service) return;
          await service.ready();
          waiting.delete(service.name);
          say(service.name, `is ready (process ${service.pid})`);
        }),
      );
    } finally {
      clearInterval(progress);
    }
  }

  private async startDemo(): Promise<void> {
    const { settings, say } = this.options;
    const { host, services, adminKey, demoPort } = settings;
    const demo: DemoHandle = await startDemo({
      controlUrl: `http://${host}:${services.control.port}`,
      ingestUrl: `http://${host}:${services.ingest.port}`,
      adminKey,
      host,
      port: demoPort,
      say: (line) => say('demo', line),
    });
    this.undo.push({ stage: 'demo', run: () => demo.stop() });
  }

  private async supervise<T extends Supervised>(
    name: 'kafka' | 'postgres',
    start: () => Promise<T>,
  ): Promise<void> {
    const supervisor = new Supervisor<T>({ name, start, log: (line) => this.options.say('stack', line) });
    await supervisor.start();
    this.undo.push({ stage: name, run: () => supervisor.stop() });
  }

  private assertWanted(): void {
    if (this.stopped) throw new StoppedError('The start was overtaken by a stop.');
  }
}

/** `start` was overtaken by `stop`. */
export class StoppedError extends Error {
  readonly code = 'stopped';
  readonly retryable = false;
}
