import { createHmac, createSecretKey, hash, type Hmac, type KeyObject } from 'node:crypto';

export type HmacAlgorithm = 'sha1' | 'sha256' | 'sha512';

const BLOCK_BYTES = { sha1: 64, sha256: 64, sha512: 128 } as const satisfies Record<HmacAlgorithm, number>;
/** Longer content is fed to Node's own HMAC, piece by piece: copying would then cost more than it saves. */
const MAX_JOINED_BYTES = 16 * 1024;
/** A character has at most three bytes of UTF-8 for each UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/** The inner hash's input, put together anew each time: nothing awaits in between. */
const scratch = Buffer.allocUnsafe(BLOCK_BYTES.sha512 + MAX_JOINED_BYTES);

/**
 * A key for HMAC, made ready once. For short content HMAC is calculated as RFC 2104 defines it, from two one-shot hashes:
 * making a `Hmac` object took 7.5 of the 12 µs that a webhook of 1 KiB took (profile of ingest under load).
 */
export class HmacKey {
  private readonly key: KeyObject;
  private readonly inner: Buffer;
  private readonly outer: Buffer;

  constructor(
    private readonly algorithm: HmacAlgorithm,
    secret: Buffer,
  ) {
    const block = Buffer.alloc(BLOCK_BYTES[algorithm]);
    (secret.length > block.length ? hash(algorithm, secret, 'buffer') : secret).copy(block);
    this.key = createSecretKey(secret);
    this.inner = Buffer.from(block.map((byte) => byte ^ 0x36));
    this.outer = Buffer.from(block.map((byte) => byte ^ 0x5c));
  }

  /** The HMAC of the parts, one after the other. */
  digest(...parts: readonly (string | Uint8Array)[]): Buffer {
    const end = this.outerInput(parts);
    return end === undefined
      ? this.streamed(parts).digest()
      : hash(this.algorithm, scratch.subarray(0, end), 'buffer');
  }

  /** The same in base64. Without a buffer in between: each takes memory outside of the heap, and 0.7 µs. */
  digestBase64(...parts: readonly (string | Uint8Array)[]): string {
    const end = this.outerInput(parts);
    return end === undefined
      ? this.streamed(parts).digest('base64')
      : hash(this.algorithm, scratch.subarray(0, end), 'base64');
  }

  /**
   * Leaves in the scratch what the outer hash is of.
   * @returns where that ends; `undefined` when the content is long
   */
  private outerInput(parts: readonly (string | Uint8Array)[]): number | undefined {
    scratch.set(this.inner);
    let end = this.inner.length;
    for (const part of parts) {
      const isText = typeof part === 'string';
      if (end + part.length * (isText ? MAX_BYTES_PER_UNIT : 1) > scratch.length) return undefined;
      if (isText) end += scratch.write(part, end);
      else {
        scratch.set(part, end);
        end += part.length;
      }
    }
    // As text of one character a byte, for the same reason as above.
    const inner = hash(this.algorithm, scratch.subarray(0, end), 'binary');
    scratch.set(this.outer);
    return this.outer.length + scratch.write(inner, this.outer.length, 'latin1');
  }

  private streamed(parts: readonly (string | Uint8Array)[]): Hmac {
    const hmac = createHmac(this.algorithm, this.key);
    for (const part of parts) hmac.update(part);
    return hmac;
  }
}
