import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { runToEnd } from '../deploy/local/run.ts';
import { ROOT } from '../deploy/local/settings.ts';

/** What a figure cannot be compared without. */
export interface MachineFacts {
  cores: number;
  processor: string;
  memoryGiB: number;
  system: string;
  node: string;
  kafka: string;
  postgres: string;
  commit: string;
  /** Of the minute before: what else is busy on the machine distorts every figure. */
  load: number;
  /** Environment variables that configure the services. */
  settings: Record<string, string>;
}

/** Named here because a name with KEY or PASSWORD in it would be easy to forget: none but these is shown. */
const SHOWN =
  /^(QUITTANCE_(?!.*(KEY|SECRET|URL|PASSWORD))[A-Z_]+|OTEL_(TRACES_[A-Z_]+|BSP_[A-Z_]+)|NODE_OPTIONS)$/;

export async function machineFacts(): Promise<MachineFacts> {
  const versions = JSON.parse(
    await readFile(join(ROOT, 'deploy', 'versions.json'), 'utf8').catch(() => '{}'),
  ) as Record<string, string | undefined>;
  const commit = await runToEnd('git', ['describe', '--always', '--dirty'], { cwd: ROOT });
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGiB: totalmem() / 2 ** 30,
    system: `${type()} ${release()}`,
    node: process.version,
    kafka: versions['kafka'] ?? 'unknown',
    postgres: versions['postgres'] ?? 'unknown',
    commit: commit.code === 0 ? commit.output : 'unknown',
    load: loadavg()[0] ?? Number.NaN,
    settings: Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        SHOWN.test(name) && value !== undefined ? [[name, value]] : [],
      ),
    ),
  };
}
