import { resolve } from 'node:path';
import { LocalStackError } from './errors.ts';
import type { PortClaim } from './ports.ts';

/** The services, in the order in which they are started. */
export const SERVICES = ['control', 'ingest', 'router', 'dispatcher', 'audit'] as const;
export type ServiceName = (typeof SERVICES)[number];

export interface ServicePorts {
  /** Its public API; router and dispatcher have none. */
  port?: number;
  /** `/livez`, `/readyz` and metrics. */
  managementPort: number;
}

/** How the local stack is run. Every member can be set by an environment variable, see {@link readSettings}. */
export interface LocalSettings {
  /** Everything that the stack writes: jars, data, secrets, logs. */
  directory: string;
  host: string;
  kafka: { port: number; controllerPort: number };
  postgres: { port: number };
  services: Record<ServiceName, ServicePorts>;
  adminKey: string;
  topicPrefix: string;
  /** 0 = any free one. */
  demoPort: number;
  /** Sizes of new topics, as the set-up reads them from its environment. */
  topics: Record<string, string>;
}

export const ROOT = resolve(import.meta.dirname, '..', '..');

/**
 * Reads the settings of `npm start` from the environment:
 *
 * | variable | default | what |
 * |---|---|---|
 * | `QUITTANCE_HOST` | `127.0.0.1` | address that everything listens on |
 * | `QUITTANCE_INGEST_PORT` | `8080` | ingest: `/v1/events` |
 * | `QUITTANCE_CONTROL_PORT` | `8081` | control: `/control/v1/…` |
 * | `QUITTANCE_AUDIT_PORT` | `8082` | audit: `/audit/v1/…` |
 * | `QUITTANCE_INGEST_MANAGEMENT_PORT` | `9080` | health and metrics of ingest |
 * | `QUITTANCE_CONTROL_MANAGEMENT_PORT` | `9081` | … of control |
 * | `QUITTANCE_AUDIT_MANAGEMENT_PORT` | `9082` | … of audit |
 * | `QUITTANCE_ROUTER_MANAGEMENT_PORT` | `9083` | … of router |
 * | `QUITTANCE_DISPATCHER_MANAGEMENT_PORT` | `9084` | … of dispatcher |
 * | `QUITTANCE_KAFKA_PORT` | `29092` | Kafka |
 * | `QUITTANCE_KAFKA_CONTROLLER_PORT` | `29093` | Kafka's controller |
 * | `QUITTANCE_POSTGRES_PORT` | `25432` | Postgres |
 * | `QUITTANCE_DEMO_PORT` | `0` (any free one) | receiver of `-- --demo` |
 * | `QUITTANCE_LOCAL_DIR` | `.local` | jars, data, secrets, logs |
 * | `QUITTANCE_ADMIN_KEY` | `quittance-local-admin` | the admin key |
 * | `QUITTANCE_TOPIC_PREFIX` | `quittance.` | begins every topic's name |
 * | `QUITTANCE_DELIVERIES_PARTITIONS` | `16` | of `deliveries.v1`, when it is created |
 * | `QUITTANCE_EVENTS_PARTITIONS` | `4` | of `events.v1` and `outcomes.v1`, when created |
 * | `QUITTANCE_RETRY_PARTITIONS` | `4` | of the retry topics and the dead letters, when created |
 *
 * All other variables (`QUITTANCE_RETRY_LADDER`, `QUITTANCE_LOG_LEVEL`, `OTEL_EXPORTER_OTLP_ENDPOINT`, …) go to the
 * services as they are.
 * @throws LocalStackError `invalid_setting` naming the variable
 */
export function readSettings(env: NodeJS.ProcessEnv): LocalSettings {
  const text = (name: string, fallback: string): string => env[name] || fallback;
  const port = (name: string, fallback: number): number => {
    const value = text(name, String(fallback));
    if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
    throw new LocalStackError('invalid_setting', `${name} must be a port from 1 to 65535, not "${value}".`);
  };
  const service = (name: ServiceName, fallback: { port?: number; managementPort: number }): ServicePorts => ({
    ...(fallback.port !== undefined && { port: port(portVariable(name), fallback.port) }),
    managementPort: port(managementPortVariable(name), fallback.managementPort),
  });
  return {
    directory: resolve(ROOT, text('QUITTANCE_LOCAL_DIR', '.local')),
    host: text('QUITTANCE_HOST', '127.0.0.1'),
    kafka: {
      port: port('QUITTANCE_KAFKA_PORT', 29_092),
      controllerPort: port('QUITTANCE_KAFKA_CONTROLLER_PORT', 29_093),
    },
    postgres: { port: port('QUITTANCE_POSTGRES_PORT', 25_432) },
    services: {
      control: service('control', { port: 8081, managementPort: 9081 }),
      ingest: service('ingest', { port: 8080, managementPort: 9080 }),
      router: service('router', { managementPort: 9083 }),
      dispatcher: service('dispatcher', { managementPort: 9084 }),
      audit: service('audit', { port: 8082, managementPort: 9082 }),
    },
    adminKey: text('QUITTANCE_ADMIN_KEY', 'quittance-local-admin'),
    topicPrefix: text('QUITTANCE_TOPIC_PREFIX', 'quittance.'),
    demoPort: port('QUITTANCE_DEMO_PORT', 0),
    topics: {
      QUITTANCE_DELIVERIES_PARTITIONS: text('QUITTANCE_DELIVERIES_PARTITIONS', '16'),
      QUITTANCE_EVENTS_PARTITIONS: text('QUITTANCE_EVENTS_PARTITIONS', '4'),
      QUITTANCE_RETRY_PARTITIONS: text('QUITTANCE_RETRY_PARTITIONS', '4'),
      // There is one broker.
      QUITTANCE_REPLICATION_FACTOR: '1',
      QUITTANCE_MIN_INSYNC_REPLICAS: '1',
    },
  };
}

/** Every port that the stack is about to listen on. */
export function portClaims(settings: LocalSettings, options: { demo: boolean }): PortClaim[] {
  const { host, kafka, postgres, services, demoPort } = settings;
  const claim = (port: number, purpose: string, variable: string): PortClaim => ({
    host,
    port,
    purpose,
    variable,
  });
  const claims = [
    claim(kafka.port, 'Kafka', 'QUITTANCE_KAFKA_PORT'),
    claim(kafka.controllerPort, "Kafka's controller", 'QUITTANCE_KAFKA_CONTROLLER_PORT'),
    claim(postgres.port, 'Postgres', 'QUITTANCE_POSTGRES_PORT'),
  ];
  for (const name of SERVICES) {
    const { port, managementPort } = services[name];
    if (port !== undefined) claims.push(claim(port, `the API of ${name}`, portVariable(name)));
    claims.push(claim(managementPort, `health and metrics of ${name}`, managementPortVariable(name)));
  }
  if (options.demo && demoPort !== 0) {
    claims.push(claim(demoPort, 'the receiver of the demo', 'QUITTANCE_DEMO_PORT'));
  }
  return claims;
}

function portVariable(name: ServiceName): string {
  return `QUITTANCE_${name.toUpperCase()}_PORT`;
}

function managementPortVariable(name: ServiceName): string {
  return `QUITTANCE_${name.toUpperCase()}_MANAGEMENT_PORT`;
}
