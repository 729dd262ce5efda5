import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { freePorts } from '../../../deploy/local/ports.ts';
import { postgresUrl, prepareDatabase, startPostgres } from '../../../deploy/local/postgres.ts';
import { createTestFolder } from './test-folder.js';

export interface TestPostgres {
  /** The URL of a superuser, on a database of its own. */
  readonly url: string;
  /** The URL of a superuser, on the database `postgres`. */
  readonly adminUrl: string;
  readonly pid: number;
  /** The same server and database for another role. */
  urlOf(role: string, password: string): string;
  /** Stops the server as an administrator would (`fast`): connections are ended. The data stay. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. The data stay. */
  kill(): Promise<void>;
  /** Starts it again, on the same port with the same data. */
  start(): Promise<void>;
  /** Stops it for good and deletes its data. */
  remove(): Promise<void>;
}

/** A real PostgreSQL of a spec's own, on a free port of 127.0.0.1; ready in about a second. */
export async function startTestPostgres(database = 'quittance'): Promise<TestPostgres> {
  const folder = await createTestFolder('postgres');
  const [port = 0] = await freePorts(1);
  const password = randomUUID();
  const start = () =>
    startPostgres({
      dataDir: join(folder.path, 'data'),
      logFile: join(folder.path, 'postgres.log'),
      port,
      password,
      durable: false,
    });
  let server = await start();
  await prepareDatabase({ adminUrl: server.adminUrl, database, owner: 'postgres', password });
  const urlOf = (role: string, rolePassword: string): string =>
    postgresUrl({ host: server.host, port, user: role, password: rolePassword, database });
  return {
    url: urlOf('postgres', password),
    adminUrl: server.adminUrl,
    get pid() {
      return server.pid;
    },
    urlOf,
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
