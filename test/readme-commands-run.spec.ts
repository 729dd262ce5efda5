import { readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts, startServices, waitUntil, type TestInstallation } from '@quittance/testing';
import { essenceOf, Shell, stepsOf } from './readme-walk.js';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

let quittance: TestInstallation;
let shell: Shell;
/** What the README says, and what it is here. */
let replacements: [shown: string, here: string][];
let receiverFile: string;

beforeAll(async () => {
  // The beginning of the default ladder: the README's schedule is one step of it.
  quittance = await startServices({ ladder: '5s,30s' });
  const [receiverPort] = await freePorts(1);
  receiverFile = `.local/receiver-${receiverPort}`;
  replacements = [
    ['http://127.0.0.1:8080', quittance.ingest.url],
    ['http://127.0.0.1:8081', quittance.control.url],
    ['http://127.0.0.1:8082', quittance.audit.url],
    ['127.0.0.1:9000', `127.0.0.1:${receiverPort}`],
    ['listen(9000', `listen(${receiverPort}`],
    ['quittance-local-admin', quittance.adminKey],
    ['.local/receiver', receiverFile],
  ];
  shell = new Shell(ROOT, process.env);
});
afterAll(async () => {
  shell.close();
  for (const extension of ['mjs', 'log']) rmSync(join(ROOT, `${receiverFile}.${extension}`), { force: true });
  await quittance.stopAll();
});

function here(commands: string): string {
  return replacements.reduce((text, [shown, actual]) => text.replaceAll(shown, actual), commands);
}

function asShown(output: string): string {
  return replacements.reduce((text, [shown, actual]) => text.replaceAll(actual, shown), output);
}

describe('the README', () => {
  it('walks from the first event to a dead letter and back with commands that work, and print what it says', async () => {
    const steps = stepsOf(README);
    expect(steps.length).toBeGreaterThan(8);
    for (const step of steps) {
      const { commands, prints, repeats } = step;
      const run = async (): Promise<string> =>
        essenceOf(asShown(await shell.run({ ...step, commands: here(commands) })));
      if (prints === undefined) {
        await run();
        continue;
      }
      const expected = essenceOf(prints);
      let printed = await run();
      if (repeats) {
        await waitUntil(async () => printed === expected || (printed = await run()) === expected, {
          what: 'the output that the README shows',
          everyMs: 100,
        }).catch(() => undefined);
      }
      expect(printed, `of:\n${commands}`).toBe(expected);
    }
  });

  it('names every variable that is read from the environment, and no script that does not exist', async () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const apps = await readdir(join(ROOT, 'apps'));
    const sources = [
      ...apps.map((app) => `apps/${app}/src/config.ts`),
      'libs/service/src/config/variables.ts',
      'libs/service/src/kafka/consumers.ts',
      'deploy/local/settings.ts',
    ].map((file) => readFileSync(join(ROOT, file), 'utf8'));
    const read = new Set(sources.join('\n').match(/QUITTANCE_[A-Z_]+[A-Z]/g));
    expect([...read].filter((variable) => !README.includes(`\`${variable}\``))).toEqual([]);
    const named = [...README.matchAll(/npm (?:run )?(start|test|bench|build|[a-z]+:[a-z]+)/g)].map(
      ([, name]) => name!,
    );
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
