import { writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { runnerImport } from 'vite';
import type { OpenApiDocument } from '../../libs/service/src/index.ts';
import { apiFiles } from './files.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

// The services' code, with its paths and decorators, is what Node cannot load as it stands.
const { module } = await runnerImport<{ documents: Record<string, OpenApiDocument> }>(
  join(import.meta.dirname, 'documents.ts'),
  { root: ROOT, configFile: false, logLevel: 'error', resolve: { tsconfigPaths: true } },
);
for (const [path, text] of await apiFiles(module.documents)) {
  await writeFile(path, text);
  process.stdout.write(`${relative(ROOT, path)}\n`);
}
