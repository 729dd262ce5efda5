import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LocalStackError } from './errors.ts';

/** What is made up once for a local installation and kept with its data. */
export interface LocalSecrets {
  /** 32 bytes, base64: seals secrets at rest. */
  masterKey: string;
  /** Passwords of the Postgres roles. */
  postgres: { superuser: string; owner: string; control: string; audit: string };
}

export function generateSecrets(): LocalSecrets {
  return {
    masterKey: randomBytes(32).toString('base64'),
    postgres: { superuser: password(), owner: password(), control: password(), audit: password() },
  };
}

function password(): string {
  return randomBytes(18).toString('base64url');
}

/**
 * Reads the secrets, or makes them up and stores them, readable by their owner only.
 * @throws LocalStackError `invalid_secrets` when the file is not one of ours
 */
export async function loadSecrets(file: string): Promise<LocalSecrets> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const made = generateSecrets();
    await mkdir(dirname(file), { recursive: true });
    // Renamed when complete: half a file would lock the data away.
    await writeFile(`${file}.partial`, `${JSON.stringify(made, undefined, 2)}\n`, { mode: 0o600 });
    await rename(`${file}.partial`, file);
    return made;
  }
  await chmod(file, 0o600);
  const secrets = parse(text);
  if (!secrets) {
    throw new LocalStackError(
      'invalid_secrets',
      `${file} is damaged. Restore it, or begin anew with \`npm start -- --fresh\`.`,
    );
  }
  return secrets;
}

function parse(text: string): LocalSecrets | undefined {
  try {
    const value = JSON.parse(text) as Partial<LocalSecrets>;
    const passwords = value.postgres;
    const all = [
      value.masterKey,
      passwords?.superuser,
      passwords?.owner,
      passwords?.control,
      passwords?.audit,
    ];
    return all.every((one) => typeof one === 'string' && one !== '') ? (value as LocalSecrets) : undefined;
  } catch {
    return undefined;
  }
}
