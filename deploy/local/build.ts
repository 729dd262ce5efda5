import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalStackError } from './errors.ts';
import { acquireLock } from './lock.ts';
import { runToEnd } from './run.ts';
import { ROOT, SERVICES } from './settings.ts';

const NEST = join(ROOT, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
/** What the bundles are made of, besides the installed packages. */
const SOURCES = ['apps', 'libs', 'nest-cli.json', 'rspack.config.js', 'tsconfig.json', 'package-lock.json'];

/** What a build makes: the services, and the command-line program. */
const BUNDLES = [...SERVICES, 'cli'];

/** A build takes seconds; whoever waits this long for another's waits for nothing. */
const BUILD_TIMEOUT_MS = 120_000;
const POLL_MS = 100;

/**
 * Builds the five services and the command-line program, unless every bundle is newer than every source. Concurrent calls, also of other
 * processes, take turns: nobody starts a bundle that is being written.
 * @returns whether it had to build
 * @throws LocalStackError `build_failed` with the compiler's output
 */
export async function buildServices(log: (line: string) => void): Promise<boolean> {
  const release = await acquireBuildLock();
  try {
    const [built, changed] = await Promise.all([oldestBundle(), newestSource()]);
    if (built > changed) return false;
    log('Building the services …');
    const { code, output } = await runToEnd(process.execPath, [NEST, 'build', ...BUNDLES], { cwd: ROOT });
    if (code === 0) return true;
    // The compiler writes bundles with errors in them, too, and their date would pass for that of a good one.
    await Promise.all(BUNDLES.map((name) => rm(bundleOf(name), { force: true })));
    throw new LocalStackError('build_failed', `The services do not build:\n${output}`);
  } finally {
    await release();
  }
}

async function acquireBuildLock(): Promise<() => Promise<void>> {
  const deadline = performance.now() + BUILD_TIMEOUT_MS;
  for (;;) {
    try {
      return await acquireLock(join(ROOT, 'dist', 'build.lock'));
    } catch (error) {
      if (!(error instanceof LocalStackError) || performance.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

/** The bundle that `nest build` makes of a service, or of `cli`. */
export function bundleOf(app: string): string {
  return join(ROOT, 'dist', 'apps', app, 'main.js');
}

async function oldestBundle(): Promise<number> {
  const times = await Promise.all(BUNDLES.map((name) => modifiedAt(bundleOf(name))));
  return Math.min(...times);
}

async function newestSource(): Promise<number> {
  const times = await Promise.all(
    SOURCES.map(async (source) => {
      const path = join(ROOT, source);
      const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
      const files = entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.spec.ts'))
        .map((entry) => join(entry.parentPath, entry.name));
      return Math.max(...(await Promise.all([path, ...files].map(modifiedAt))));
    }),
  );
  return Math.max(...times);
}

/** 0 when there is no such file. */
async function modifiedAt(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
