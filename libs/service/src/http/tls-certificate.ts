import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureVersion } from 'node:tls';
import { ConfigError } from '../config/config.js';

const MIN_VERSION: SecureVersion = 'TLSv1.2';

/** A certificate, with its chain, and its private key, as the files held them at one moment. */
export class TlsCertificate {
  private constructor(
    readonly cert: string,
    readonly key: string,
    /** When the first certificate of the chain ends, epoch milliseconds. */
    readonly expiresAt: number,
  ) {}

  /** For `https.createServer` and `setSecureContext`. */
  get secureContext() {
    return { cert: this.cert, key: this.key, minVersion: MIN_VERSION };
  }

  isSameAs(other: TlsCertificate): boolean {
    return this.cert === other.cert && this.key === other.key;
  }

  /** @throws ConfigError when a file cannot be read, is not what it should be, or the two do not belong together */
  static async read(certFile: string, keyFile: string): Promise<TlsCertificate> {
    const cert = await read('QUITTANCE_TLS_CERT_FILE', certFile);
    const key = await read('QUITTANCE_TLS_KEY_FILE', keyFile);
    // Both may be replaced between the two reads.
    if ((await read('QUITTANCE_TLS_CERT_FILE', certFile)) !== cert) return this.read(certFile, keyFile);
    const leaf = attempt(
      'QUITTANCE_TLS_CERT_FILE',
      'must name a file with a certificate in PEM',
      () => new X509Certificate(cert),
    );
    const privateKey = attempt(
      'QUITTANCE_TLS_KEY_FILE',
      'must name a file with a private key in PEM, without a passphrase',
      () => createPrivateKey(key),
    );
    if (!leaf.checkPrivateKey(privateKey)) {
      throw unusable(
        'QUITTANCE_TLS_KEY_FILE',
        'must name the key of the first certificate in QUITTANCE_TLS_CERT_FILE',
      );
    }
    attempt('QUITTANCE_TLS_CERT_FILE', 'must name a certificate and chain that TLS can be served with', () =>
      createSecureContext({ cert, key, minVersion: MIN_VERSION }),
    );
    return new TlsCertificate(cert, key, Date.parse(leaf.validTo));
  }
}

async function read(variable: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw unusable(variable, `must name a file that can be read (${reason})`);
  }
}

/** What a library says of a key is not passed on: it might quote it. */
function attempt<T>(variable: string, expected: string, make: () => T): T {
  try {
    return make();
  } catch {
    throw unusable(variable, expected);
  }
}

function unusable(variable: string, expected: string): ConfigError {
  return new ConfigError([{ variable, expected }]);
}
