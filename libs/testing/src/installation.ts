import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { inject } from 'vitest';
import { buildServices } from '../../../deploy/local/build.ts';
import { freePorts } from '../../../deploy/local/ports.ts';
import { prepareDatabase } from '../../../deploy/local/postgres.ts';
import { runSetup, type Installation } from '../../../deploy/local/services.ts';
import { SERVICES, type ServiceName } from '../../../deploy/local/settings.ts';
import { ApiClient } from './api-client.js';
import { createTestFolder, type TestFolder } from './test-folder.js';
import { TestService } from './test-service.js';

export interface StartServicesOptions {
  /** The retry ladder. Default `200ms,400ms,800ms`: three retries in a second and a half. */
  ladder?: string;
  /** Which services run. Default: all five. */
  apps?: readonly ServiceName[];
  /** Further environment of every service. */
  env?: Record<string, string>;
  /** Sizes of the topics; small by default, because every installation has its own. */
  topics?: Partial<Record<TopicSize, number>>;
  /** Another Kafka than the one all files share: `host:port`. */
  kafkaBrokers?: string;
  /** Another Postgres than the one all files share: URL of its superuser. */
  postgresAdminUrl?: string;
}

type TopicSize =
  'QUITTANCE_DELIVERIES_PARTITIONS' | 'QUITTANCE_EVENTS_PARTITIONS' | 'QUITTANCE_RETRY_PARTITIONS';

const DEFAULT_LADDER = '200ms,400ms,800ms';
const TOPICS: Record<TopicSize, number> = {
  QUITTANCE_DELIVERIES_PARTITIONS: 8,
  QUITTANCE_EVENTS_PARTITIONS: 4,
  QUITTANCE_RETRY_PARTITIONS: 2,
};
const ADMIN_KEY = 'quittance-test-admin';
/** Roles belong to the Postgres server, which installations share: so do their passwords. */
const ROLES = { owner: 'quittance_owner', control: 'quittance_control', audit: 'quittance_audit' } as const;
/** What a test must not inherit from the shell it was started in, or from the test runner. */
const NOT_INHERITED = /^(QUITTANCE_|OTEL_|VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$|DEV$|PROD$)/;

/** A whole Quittance of a test's own: its topics, its database, its ports, its processes. */
export class TestInstallation {
  readonly adminKey = ADMIN_KEY;
  private readonly further: TestService[] = [];

  constructor(
    readonly topicPrefix: string,
    /** As environment variables name it, such as `200ms,400ms`. */
    readonly ladder: string,
    readonly kafkaBrokers: string,
    /** One URL per role. */
    readonly databases: { owner: string; control: string; audit: string },
    /** Those that were asked for, running. */
    readonly services: ReadonlyMap<ServiceName, TestService>,
    private readonly folder: TestFolder,
    private readonly installation: Installation,
  ) {}

  get control(): TestService {
    return this.service('control');
  }
  get ingest(): TestService {
    return this.service('ingest');
  }
  get router(): TestService {
    return this.service('router');
  }
  get dispatcher(): TestService {
    return this.service('dispatcher');
  }
  get audit(): TestService {
    return this.service('audit');
  }

  service(name: ServiceName): TestService {
    const service = this.services.get(name);
    if (!service) throw new Error(`${name} is not among the services that this installation runs.`);
    return service;
  }

  /** The APIs in a namespace, by default one that no other test uses. */
  client(namespace = `n${randomBytes(4).toString('hex')}`): ApiClient {
    const urlOf = (name: ServiceName): string => this.services.get(name)?.url ?? '';
    return new ApiClient({
      controlUrl: urlOf('control'),
      ingestUrl: urlOf('ingest'),
      auditUrl: urlOf('audit'),
      adminKey: this.adminKey,
      namespace,
    });
  }

  /** A further instance of a service, started and ready: the members of its consumer groups share the work. */
  async addInstance(name: ServiceName): Promise<TestService> {
    const [port = 0, managementPort = 0] = await freePorts(2);
    const services = { ...this.installation.services, [name]: { port, managementPort } };
    const logFile = join(this.folder.path, `${name}-${managementPort}.log`);
    const instance = new TestService(name, { ...this.installation, services }, logFile);
    await instance.start();
    this.further.push(instance);
    return instance;
  }

  /** Stops every service as an operator would (each drains), and deletes the logs. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.services.values(), ...this.further].map((service) => service.stop()));
    await this.folder.remove();
  }
}

/**
 * Builds what is stale, sets up an installation in the shared stores, starts its services and waits until they are
 * ready.
 * @throws LocalStackError when the build, the set-up or a service fails; its message ends with the log
 */
export async function startServices(options: StartServicesOptions = {}): Promise<TestInstallation> {
  await buildServices(() => undefined);
  const id = randomUUID().slice(0, 8);
  const ladder = options.ladder ?? DEFAULT_LADDER;
  const adminUrl = options.postgresAdminUrl ?? inject('postgresAdminUrl');
  const database = `quittance_${id}`;
  await prepareDatabase({ adminUrl, database, owner: ROLES.owner, password: ROLES.owner });
  const url = (role: string): string => {
    const { host } = new URL(adminUrl);
    return `postgres://${role}:${role}@${host}/${database}`;
  };

  const ports = await freePorts(SERVICES.length * 2);
  const at = (index: number): number => ports[index] ?? 0;
  const installation: Installation = {
    host: '127.0.0.1',
    brokers: options.kafkaBrokers ?? inject('kafkaBrokers'),
    topicPrefix: `t${id}.`,
    adminKey: ADMIN_KEY,
    masterKey: randomBytes(32).toString('base64'),
    databases: { owner: url(ROLES.owner), control: url(ROLES.control), audit: url(ROLES.audit) },
    services: {
      control: { port: at(0), managementPort: at(1) },
      ingest: { port: at(2), managementPort: at(3) },
      audit: { port: at(4), managementPort: at(5) },
      router: { managementPort: at(6) },
      dispatcher: { managementPort: at(7) },
    },
    env: { ...inheritedEnv(), QUITTANCE_RETRY_LADDER: ladder, ...options.env },
  };
  await runSetup(installation, topicSizes(options.topics));

  const folder = await createTestFolder('services');
  const services = (options.apps ?? SERVICES).map(
    (name) => new TestService(name, installation, join(folder.path, `${name}.log`)),
  );
  const started = await Promise.allSettled(services.map((service) => service.start()));
  const failed = started.find((result) => result.status === 'rejected');
  if (failed) {
    await Promise.all(services.map((service) => service.kill()));
    await folder.remove();
    throw failed.reason;
  }
  return new TestInstallation(
    installation.topicPrefix,
    ladder,
    installation.brokers,
    installation.databases,
    new Map(services.map((service) => [service.name, service])),
    folder,
    installation,
  );
}

function topicSizes(sizes: StartServicesOptions['topics']): Record<string, string> {
  const wanted = { ...TOPICS, ...sizes };
  return {
    ...Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, String(value)])),
    QUITTANCE_REPLICATION_FACTOR: '1',
    QUITTANCE_MIN_INSYNC_REPLICAS: '1',
  };
}

function inheritedEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name)));
}
