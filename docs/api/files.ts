import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { OpenApiDocument } from '../../libs/service/src/index.ts';
import { postmanCollection } from './postman.ts';

/**
 * The files that are made of the services' documents, formatted.
 * @returns their texts by their paths
 */
export async function apiFiles(documents: Record<string, OpenApiDocument>): Promise<Map<string, string>> {
  const contents: Record<string, object> = {};
  for (const [service, document] of Object.entries(documents)) contents[`${service}.openapi.json`] = document;
  contents['quittance.postman_collection.json'] = await postmanCollection(documents);
  const files = new Map<string, string>();
  for (const [name, content] of Object.entries(contents)) {
    const path = join(import.meta.dirname, name);
    const options = { ...(await resolveConfig(path)), filepath: path };
    files.set(path, await format(JSON.stringify(content), options));
  }
  return files;
}
