import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestFolder, type TestFolder } from '@quittance/testing';
import { acquireLock } from './lock.ts';
import { LogFile } from './log-file.ts';
import { loadSecrets } from './secrets.ts';

let folder: TestFolder;
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await createTestFolder('files');
});
afterAll(() => folder.remove());

describe('the local secrets', () => {
  it('are made up once, for their owner only, and are the same ever after', async () => {
    const made = await loadSecrets(at('data/secrets.json'));
    expect(Buffer.from(made.masterKey, 'base64')).toHaveLength(32);
    expect(new Set(Object.values(made.postgres)).size).toBe(4);
    expect(statSync(at('data/secrets.json')).mode & 0o777).toBe(0o600);
    expect(await loadSecrets(at('data/secrets.json'))).toEqual(made);
  });

  it('are refused when damaged, instead of locking the data away with new ones', async () => {
    writeFileSync(at('damaged.json'), '{"masterKey": "x"}');
    await expect(loadSecrets(at('damaged.json'))).rejects.toThrow('is damaged');
    expect(readFileSync(at('damaged.json'), 'utf8')).toBe('{"masterKey": "x"}');
  });
});

describe('the lock of a data folder', () => {
  it('keeps a second one out until it is given back', async () => {
    const release = await acquireLock(at('lock'));
    await expect(acquireLock(at('lock'))).rejects.toThrow(`Process ${process.pid} already runs the stack`);
    await release();
    const again = await acquireLock(at('lock'));
    await again();
  });

  it('counts for nothing when its process is gone', async () => {
    // Above the highest pid that Linux gives out.
    writeFileSync(at('stale'), '4194305\n');
    const release = await acquireLock(at('stale'));
    expect(readFileSync(at('stale'), 'utf8')).toBe(`${process.pid}\n`);
    await release();
  });
});

describe('a log file', () => {
  it('goes on where it ended, and starts anew when it has grown large', () => {
    writeFileSync(at('a.log'), 'old\n');
    const log = new LogFile(at('a.log'), 10);
    log.write(Buffer.from('123456789\n'));
    log.write(Buffer.from('new\n'));
    log.close();
    expect(readFileSync(at('a.log.1'), 'utf8')).toBe('old\n123456789\n');
    expect(readFileSync(at('a.log'), 'utf8')).toBe('new\n');
  });
});
