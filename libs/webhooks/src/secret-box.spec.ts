import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SecretBox, SecretBoxError } from './secret-box.js';

const masterKey = (): string => randomBytes(32).toString('base64');

/** The code an action fails with; anything but a typed error that keeps the secret to itself is thrown on. */
function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (!(error instanceof SecretBoxError) || error.message.includes('hunter2')) throw error;
    return error.code;
  }
  return undefined;
}

describe('SecretBox', () => {
  it('opens what it has sealed', () => {
    const box = new SecretBox([masterKey()]);
    for (const plain of ['whsec_abc', '', 'Zoë ✓']) expect(box.open(box.seal(plain, 'a'), 'a')).toBe(plain);
  });

  it('seals the same secret differently each time, and shows nothing of it', () => {
    const box = new SecretBox([masterKey()]);
    const sealed = box.seal('hunter2');
    expect(sealed).toMatch(/^sb1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+$/);
    expect(box.seal('hunter2')).not.toBe(sealed);
  });

  it('opens what was sealed under an older master key, and seals under the newest', () => {
    const [older, newer] = [masterKey(), masterKey()];
    const sealedBefore = new SecretBox([older]).seal('hunter2');
    const rotated = new SecretBox([newer, older]);
    expect(rotated.open(sealedBefore)).toBe('hunter2');
    const sealedAfter = rotated.seal('hunter2');
    expect(new SecretBox([newer]).open(sealedAfter)).toBe('hunter2');
    expect(codeOf(() => new SecretBox([older]).open(sealedAfter))).toBe('wrong_key');
  });

  it('does not open a secret that was moved to another resource', () => {
    const box = new SecretBox([masterKey()]);
    const sealed = box.seal('hunter2', 'Subscription/shop/billing');
    expect(codeOf(() => box.open(sealed, 'Subscription/shop/other'))).toBe('tampered');
    expect(codeOf(() => box.open(sealed))).toBe('tampered');
  });

  it('notices a change of any character of nonce, secret and tag', () => {
    const box = new SecretBox([masterKey()]);
    const sealed = box.seal('hunter2');
    const start = sealed.lastIndexOf('.') + 1;
    // Of the last character only some bits are part of the bytes.
    for (let index = start; index < sealed.length - 1; index++) {
      const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
      expect(codeOf(() => box.open(changed))).toBe('tampered');
    }
  });

  it.each(['', 'hunter2', 'sb2.00000000.AAAA', 'sb1.00000000.AAAA', `sb1.00000000.${'A'.repeat(70_000)}`])(
    'calls anything else malformed',
    (text) => {
      expect(codeOf(() => new SecretBox([masterKey()]).open(text))).toBe('malformed');
    },
  );

  it.each([[[]], [['hunter2']], [[randomBytes(16).toString('base64')]], [[`${masterKey()}!`]]])(
    'refuses master keys that are not 32 bytes of base64',
    (keys: string[]) => {
      expect(codeOf(() => new SecretBox(keys))).toBe('invalid_master_key');
    },
  );
});
