import type { FastifyInstance } from 'fastify';

/** The routes that exist, to tell an unknown path (404) from an unknown method (405). Asked only then. */
export class RouteTable {
  private readonly routes: { path: RegExp; method: string }[] = [];

  /** Call before the first route is added. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url }) => {
      const path = new RegExp(
        `^${url
          .split('/')
          .map((part) =>
            part.startsWith(':')
              ? '[^/]+'
              : part === '*'
                ? '.*'
                : part.replaceAll(/[^A-Za-z0-9_-]/g, String.raw`\$&`),
          )
          .join('/')}/?$`,
      );
      for (const one of Array.isArray(method) ? method : [method]) this.routes.push({ path, method: one });
    });
  }

  /** @returns the methods that a path answers to; none: there is no such path */
  methodsOf(url: string): string[] {
    const path = url.split('?', 1)[0] ?? '';
    return [...new Set(this.routes.filter((route) => route.path.test(path)).map((route) => route.method))];
  }
}
