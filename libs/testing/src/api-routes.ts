import {
  createLogger,
  readConfig,
  Service,
  type ApiDescription,
  type ServiceConfig,
  type ServiceParts,
} from '@quittance/service';
import type * as z from 'zod';

/** A request that a service answers; parameters as OpenAPI writes them. */
export interface ApiRoute {
  method: string;
  path: string;
}

/** What every service has to be told. Nothing is there: routes exist without it. */
const ENV = {
  QUITTANCE_HOST: '127.0.0.1',
  QUITTANCE_PORT: '0',
  QUITTANCE_MANAGEMENT_PORT: '0',
  QUITTANCE_LOG_LEVEL: 'silent',
  QUITTANCE_KAFKA_BROKERS: '127.0.0.1:1',
  QUITTANCE_DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/nowhere',
  QUITTANCE_ADMIN_KEY: 'an-admin-key-for-specs',
  QUITTANCE_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
};

/** The routes that a service's Fastify really has. */
export async function routesOf<C extends ServiceConfig>(
  parts: Pick<ServiceParts<C>, 'name' | 'module'> & { config: z.ZodType<C> },
): Promise<ApiRoute[]> {
  const routes: ApiRoute[] = [];
  const listening = Promise.withResolvers<void>();
  const service = new Service<C>({
    ...parts,
    config: readConfig(parts.config, ENV),
    logger: createLogger({ service: parts.name, version: '0', level: 'silent' }),
    configureHttp: (fastify) => {
      fastify.addHook('onRoute', ({ method, url }) => {
        const path = url.replaceAll(/:([A-Za-z-]+)/g, '{$1}');
        for (const each of [method].flat()) routes.push({ method: each, path });
      });
      fastify.addHook('onListen', (done) => {
        listening.resolve();
        done();
      });
    },
  });
  // Consumers join when there is a Kafka: that is not waited for.
  const started = service.start();
  await Promise.race([listening.promise, started]);
  await service.close();
  await started.catch(() => undefined);
  // Fastify adds HEAD to each GET by itself.
  return routes.filter((route) => route.method !== 'HEAD');
}

/**
 * Where routes and a document differ. A route's parameter also stands for what documents spell out, such as `{kind}` for
 * `subscriptions`; a path that is spelled out is never hidden by one with a parameter.
 */
export function differencesOf(
  routes: readonly ApiRoute[],
  operations: ApiDescription['operations'],
): { undocumented: string[]; missing: string[] } {
  const documented = operations.map(({ method, path }) => ({ method: method.toUpperCase(), path }));
  const servedBy = (operation: ApiRoute): ApiRoute | undefined =>
    routes.find((route) => route.method === operation.method && route.path === operation.path) ??
    routes.find((route) => route.method === operation.method && covers(route.path, operation.path));
  const used = new Set(documented.map(servedBy));
  return {
    undocumented: routes.filter((route) => !used.has(route)).map(nameOf),
    missing: documented.filter((operation) => servedBy(operation) === undefined).map(nameOf),
  };
}

function covers(route: string, path: string): boolean {
  const parts = path.split('/');
  const own = route.split('/');
  return own.length === parts.length && own.every((part, at) => part.startsWith('{') || part === parts[at]);
}

function nameOf({ method, path }: ApiRoute): string {
  return `${method} ${path}`;
}
