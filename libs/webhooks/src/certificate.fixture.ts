import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  key: string;
  cert: string;
}

const HOUR_MS = 3_600_000;
const AUTHORITY = `[ca]
default_ca=own
[own]
database=index
new_certs_dir=.
serial=serial
default_md=sha256
policy=any
copy_extensions=copy
[any]
commonName=supplied
`;

/**
 * Self-signed, for `localhost` and 127.0.0.1. By OpenSSL, since Node.js makes no certificates.
 * @param ageMs how long ago it was issued; it is valid for two days
 */
export function selfSignedCertificate(ageMs = HOUR_MS): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'quittance-certificate-'));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  try {
    writeFileSync(join(folder, 'config'), AUTHORITY);
    writeFileSync(join(folder, 'index'), '');
    writeFileSync(join(folder, 'serial'), '01');
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key'];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    openssl('req', '-new', ...key, ...names, '-out', 'request');
    const start = Date.now() - ageMs;
    const times = ['-startdate', asn1Time(start), '-enddate', asn1Time(start + 48 * HOUR_MS)];
    const files = ['-keyfile', 'key', '-in', 'request', '-out', 'certificate'];
    openssl('ca', '-batch', '-notext', '-config', 'config', '-selfsign', ...files, ...times);
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
    return { key: read('key'), cert: read('certificate') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `20250301100000Z` */
function asn1Time(epochMs: number): string {
  return `${new Date(epochMs).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}
