import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepFolder, removeFolderAtDeath } from '../../../deploy/local/processes.ts';

export interface TestFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** A temporary folder that is gone afterwards, also when the test run is killed. */
export async function createTestFolder(purpose: string): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), `quittance-${purpose}-`));
  removeFolderAtDeath(path);
  // Postgres may have to run as another user, who must be able to enter.
  await chmod(path, 0o711);
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
      keepFolder(path);
    },
  };
}
