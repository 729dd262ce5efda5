import { PROBLEMS } from '@quittance/contracts';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents } from './documents.js';
import { apiFiles } from './files.js';
import { postmanCollection } from './postman.js';

// Making the Postman collection takes seconds.
describe('The API documents', { timeout: 60_000 }, () => {
  it('stand in the repository as the code has them: `npm run docs:api` writes them', async () => {
    for (const [path, text] of await apiFiles(documents)) {
      expect([relative(process.cwd(), path), await readFile(path, 'utf8')]).toEqual([
        relative(process.cwd(), path),
        text,
      ]);
    }
  });

  it('name every problem code somewhere', () => {
    const answers = Object.values(documents).flatMap((document) =>
      Object.keys(document.components['responses'] ?? {}),
    );
    const named = new Set(answers.flatMap((name) => name.split('.').slice(1)));
    expect(Object.keys(PROBLEMS).filter((code) => !named.has(code))).toEqual([]);
  });

  it('give every operation a name of its own', () => {
    for (const document of Object.values(documents)) {
      const ids = Object.values(document.paths).flatMap((operations) =>
        Object.values(operations).map((operation) => operation['operationId']),
      );
      expect(ids).toHaveLength(new Set(ids).size);
    }
  });

  it('are all in the Postman collection, which holds no key', async () => {
    const collection = JSON.stringify(await postmanCollection(documents));
    const requests = [...collection.matchAll(/"method":"[A-Z]+"/g)];
    const operations = Object.values(documents).flatMap((document) =>
      Object.values(document.paths).flatMap((methods) => Object.keys(methods)),
    );
    expect(requests).toHaveLength(operations.length);
    expect(collection).toContain('{"key":"key","value":""');
    expect(collection).not.toMatch(/qk_[A-Za-z0-9]/);
  });

  it('refer to components that are there', () => {
    for (const document of Object.values(documents)) {
      const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
        (match) => match[1]!,
      );
      expect(references.length).toBeGreaterThan(0);
      for (const reference of references) {
        const target = reference
          .split('/')
          .reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], document);
        expect([reference, target]).toEqual([reference, expect.any(Object)]);
      }
    }
  });
});
