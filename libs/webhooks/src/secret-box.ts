import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const VERSION = 'sb1';
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Secrets are keys and passwords; anything longer was put here by mistake. */
const MAX_SEALED_LENGTH = 64 * 1024;

/**
 * Why a sealed secret stays closed:
 * - `wrong_key`: sealed under a master key that this box does not have;
 * - `tampered`: changed since it was sealed, or sealed for another context;
 * - `malformed`: not a sealed secret at all;
 * - `invalid_master_key`: a master key is not 32 bytes of base64.
 */
export type SecretBoxErrorCode = 'wrong_key' | 'tampered' | 'malformed' | 'invalid_master_key';

/** Names the reason, never a secret or a key. */
export class SecretBoxError extends Error {
  readonly retryable = false;

  constructor(
    readonly code: SecretBoxErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Seals secrets with AES-256-GCM before they are stored: `sb1.<key id>.<base64url of nonce, ciphertext, tag>`.
 * The key id, the first 8 hex digits of the key's SHA-256, tells which master key opens it.
 */
export class SecretBox {
  private readonly keys = new Map<string, Buffer>();
  private readonly primaryId: string;

  /**
   * @param masterKeys 32 bytes in base64 each. The first seals; all open, so that a key can be rotated by
   *   putting its successor before it.
   * @throws SecretBoxError `invalid_master_key`
   */
  constructor(masterKeys: readonly string[]) {
    const ids = masterKeys.map((text) => {
      const key = decodeMasterKey(text);
      const id = createHash('sha256').update(key).digest('hex').slice(0, 8);
      this.keys.set(id, key);
      return id;
    });
    const primaryId = ids[0];
    if (primaryId === undefined) {
      throw new SecretBoxError('invalid_master_key', 'At least one master key is needed.');
    }
    this.primaryId = primaryId;
  }

  /** @param context what the secret belongs to, such as a resource's key: it opens for the same context only */
  seal(plain: string, context = ''): string {
    const head = `${VERSION}.${this.primaryId}.`;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.keys.get(this.primaryId)!, nonce, {
      authTagLength: TAG_BYTES,
    }).setAAD(Buffer.from(head + context));
    const sealed = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return head + sealed.toString('base64url');
  }

  /**
   * @param context the one it was sealed with
   * @throws SecretBoxError `wrong_key`, `tampered` or `malformed`
   */
  open(sealed: string, context = ''): string {
    const { keyId, bytes } = parse(sealed);
    const key = this.keys.get(keyId);
    if (!key) {
      throw new SecretBoxError(
        'wrong_key',
        `The secret was sealed under the master key ${keyId}; add that key to the configured ones.`,
      );
    }
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
      .setAAD(Buffer.from(`${VERSION}.${keyId}.${context}`))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    const plain = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
    try {
      return Buffer.concat([plain, decipher.final()]).toString('utf8');
    } catch {
      throw new SecretBoxError(
        'tampered',
        'The sealed secret was changed, or belongs to another resource. Set it anew.',
      );
    }
  }
}

function decodeMasterKey(text: string): Buffer {
  const key = Buffer.from(text, 'base64');
  // Compared after decoding, since Node's decoder skips what is not base64.
  if (key.length !== KEY_BYTES || key.toString('base64').replace('=', '') !== text.trim().replace('=', '')) {
    throw new SecretBoxError(
      'invalid_master_key',
      'A master key is 32 random bytes in base64: make one with "openssl rand -base64 32".',
    );
  }
  return key;
}

function parse(sealed: string): { keyId: string; bytes: Buffer } {
  const match =
    sealed.length <= MAX_SEALED_LENGTH ? /^sb1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$/.exec(sealed) : null;
  const bytes = Buffer.from(match?.[2] ?? '', 'base64url');
  if (!match || bytes.length < NONCE_BYTES + TAG_BYTES) {
    throw new SecretBoxError('malformed', 'This is not a sealed secret.');
  }
  return { keyId: match[1]!, bytes };
}
