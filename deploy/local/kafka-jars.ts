import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalStackError } from './errors.ts';
import { runToEnd } from './run.ts';

const POM = join(import.meta.dirname, 'kafka', 'pom.xml');
/** Written last, so a folder without it is half a download. */
const STAMP = 'pom.sha256';

/**
 * Fetches Kafka's jars with Maven, once per content of `kafka/pom.xml`: 43 MB.
 * @param directory where they shall lie
 * @throws LocalStackError `kafka_download_failed`
 */
export async function fetchKafkaJars(directory: string, log: (line: string) => void): Promise<void> {
  const wanted = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex');
  const stamp = join(directory, STAMP);
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return;

  log('Fetching Kafka with Maven (once, 43 MB) …');
  const partial = `${directory}.${process.pid}.partial`;
  await mkdir(partial, { recursive: true });
  try {
    const { code, output } = await runToEnd('mvn', [
      '-q',
      '-B',
      '-f',
      POM,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${partial}`,
    ]);
    if (code !== 0) {
      throw new LocalStackError(
        'kafka_download_failed',
        `Maven could not fetch Kafka's jars (exit code ${code}). Check the network and ~/.m2/settings.xml.\n${output}`,
      );
    }
    await writeFile(join(partial, STAMP), wanted);
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
