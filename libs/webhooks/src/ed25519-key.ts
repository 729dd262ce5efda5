import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';

export const SEED_BYTES = 32;
export const PUBLIC_BYTES = 32;

/** An ed25519 private key in PKCS #8 is this and the 32 bytes of the key. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A private key for ed25519 signatures, made ready once. */
export class Ed25519Key {
  private constructor(
    private readonly key: KeyObject,
    /** The 32 bytes of the public key. */
    readonly publicKey: Buffer,
  ) {}

  static generate(): Ed25519Key {
    return Ed25519Key.of(generateKeyPairSync('ed25519').privateKey);
  }

  /** @param seed the 32 bytes of the private key */
  static fromSeed(seed: Buffer): Ed25519Key {
    return Ed25519Key.of(
      createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' }),
    );
  }

  private static of(key: KeyObject): Ed25519Key {
    const { x } = createPublicKey(key).export({ format: 'jwk' });
    return new Ed25519Key(key, Buffer.from(x!, 'base64url'));
  }

  /** The 32 bytes of the private key. Keep them secret. */
  seed(): Buffer {
    return Buffer.from(this.key.export({ format: 'jwk' }).d!, 'base64url');
  }

  hasPublicKey(publicKey: Buffer): boolean {
    return timingSafeEqual(this.publicKey, publicKey);
  }

  /** @returns 64 bytes, the same for the same content each time */
  sign(content: Uint8Array): Buffer {
    return sign(null, content, this.key);
  }
}
