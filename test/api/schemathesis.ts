import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const CONFIG = join(import.meta.dirname, 'schemathesis.toml');
const VENV = join(ROOT, '.local', 'schemathesis');
const COMPLETE = join(VENV, 'requirements.txt');

/** The same inputs in every run, unless another seed is asked for. */
export const SEED = process.env['QUITTANCE_API_TEST_SEED'] || '20261';

/** What `schemathesis.toml` and `hooks.py` name. */
export interface Surroundings {
  QUITTANCE_KEY: string;
  QUITTANCE_NAMESPACE: string;
  QUITTANCE_HANDSHAKE_TOKEN: string;
  QUITTANCE_RECEIVER: string;
  QUITTANCE_LADDER: string;
}

/**
 * Installs schemathesis into a Python environment of its own, unless it is there.
 * @throws Error when there is no Python 3.10 with `venv`, or the packages cannot be had
 */
export async function installSchemathesis(): Promise<void> {
  const wanted = await readFile(REQUIREMENTS, 'utf8');
  // Written last, so that an installation that was cut off is begun anew.
  if ((await readFile(COMPLETE, 'utf8').catch(() => '')) === wanted) return;
  await mkdir(join(ROOT, '.local'), { recursive: true });
  await succeed('python3', ['-m', 'venv', '--clear', VENV]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
  await succeed(join(VENV, 'bin', 'python'), pip);
  await writeFile(COMPLETE, wanted);
}

/**
 * Sends a service what its document allows and what it forbids, and compares the answers with the document.
 * @param folder for what schemathesis writes
 * @returns what it printed: that nothing is different
 * @throws Error with what it printed, when something is
 */
export async function runSchemathesis(
  url: string,
  folder: string,
  surroundings: Surroundings,
): Promise<string> {
  const args = ['--config-file', CONFIG, 'run', `${url}/openapi.json`, '--url', url, '--seed', SEED];
  return succeed(join(VENV, 'bin', 'st'), args, folder, {
    ...surroundings,
    SCHEMATHESIS_HOOKS: 'hooks',
    PYTHONPATH: import.meta.dirname,
    PYTHONDONTWRITEBYTECODE: '1',
  });
}

async function succeed(
  command: string,
  args: readonly string[],
  cwd = ROOT,
  env: Record<string, string> = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`"${command} ${args.join(' ')}" ended with ${code}:\n${output}`);
  return output;
}
