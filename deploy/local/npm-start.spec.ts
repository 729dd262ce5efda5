import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestFolder, waitUntil, type TestFolder } from '@quittance/testing';
import { fetchKafkaJars } from './kafka-jars.ts';
import { assertPortsFree, freePorts } from './ports.ts';
import { postgresUrl } from './postgres.ts';
import { loadSecrets } from './secrets.ts';
import { portClaims, readSettings, ROOT, type LocalSettings } from './settings.ts';

const START_TIMEOUT_MS = 120_000;
let folder: TestFolder;
let env: NodeJS.ProcessEnv;
let settings: LocalSettings;
const runs: ChildProcess[] = [];

beforeAll(async () => {
  const libsDir = join(ROOT, '.local', 'kafka-libs');
  await fetchKafkaJars(libsDir, () => undefined);
  folder = await createTestFolder('start');
  mkdirSync(join(folder.path, 'local'));
  symlinkSync(libsDir, join(folder.path, 'local', 'kafka-libs'));
  const variables = portClaims(readSettings({}), { demo: false }).map(({ variable }) => variable);
  const ports = await freePorts(variables.length);
  env = {
    ...process.env,
    QUITTANCE_LOCAL_DIR: join(folder.path, 'local'),
    ...Object.fromEntries(variables.map((variable, index) => [variable, String(ports[index])])),
  };
  settings = readSettings(env);
}, 60_000);

afterAll(async () => {
  for (const run of runs) if (run.exitCode === null && run.kill('SIGTERM')) await once(run, 'exit');
  await folder.remove();
}, 60_000);

/** `npm start` without npm: its output line by line, and how to end it. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [join(ROOT, 'deploy', 'local', 'start.mjs'), ...args], { env });
  runs.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const exited = once(child, 'exit').then(([code]: unknown[]) => code);
  const until = async (pattern: RegExp): Promise<string> => {
    const find = (): string | undefined => lines.find((line) => pattern.test(line));
    await waitUntil(() => find() !== undefined || child.exitCode !== null, {
      what: `a line like ${pattern.source}`,
      timeoutMs: START_TIMEOUT_MS,
    });
    const line = find();
    if (line === undefined)
      throw new Error(`It ended without a line like ${pattern.source}:\n${lines.join('\n')}`);
    return line;
  };
  return { child, lines, exited, until };
}

/** The names of all that control has stored. */
async function resources(): Promise<unknown[]> {
  const secrets = await loadSecrets(join(settings.directory, 'data', 'secrets.json'));
  const { host, postgres } = settings;
  const { owner: password } = secrets.postgres;
  const client = new Client(
    postgresUrl({ host, port: postgres.port, user: 'quittance_owner', password, database: 'quittance' }),
  );
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>('SELECT name FROM control.resources ORDER BY name');
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

describe('npm start', () => {
  it(
    'shows the main job with --demo, survives what dies, stops cleanly, and keeps its data until --fresh',
    { timeout: 300_000 },
    async () => {
      const first = start('--demo');
      await first.until(/Quittance is running/);
      await first.until(/demo\.tick #2 arrived after \d+ ms, signature valid, trace [0-9a-f]{32}/);

      const second = start();
      expect(await second.exited).toBe(1);
      expect(second.lines.join('\n')).toContain(
        `Port 127.0.0.1:${settings.kafka.port} is taken; it is meant for Kafka.`,
      );

      const pid = Number(/process (\d+)/.exec(await first.until(/^router +is ready/))?.[1]);
      process.kill(pid, 'SIGKILL');
      await first.until(/router was ended by SIGKILL; it is started again/);
      await first.until(/router was started again/);

      first.child.kill('SIGINT');
      expect(await first.exited).toBe(0);
      expect(first.lines.at(-1)).toContain('The data is kept');
      // Every listener is gone.
      await assertPortsFree(portClaims(settings, { demo: false }));

      const again = start();
      await again.until(/Quittance is running/);
      expect(await resources()).toEqual(['demo', 'demo', 'demo.tick']);
      again.child.kill('SIGTERM');
      expect(await again.exited).toBe(0);

      const fresh = start('--fresh');
      await fresh.until(/Quittance is running/);
      expect(await resources()).toEqual([]);
      fresh.child.kill('SIGTERM');
      expect(await fresh.exited).toBe(0);
    },
  );
});
