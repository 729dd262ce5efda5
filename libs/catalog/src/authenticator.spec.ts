import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiKeyRing } from './api-key-ring.js';
import { apiKeyOf, type ApiKeyParts } from './catalogue.fixture.js';
import { authenticate, generateApiKey, requireScope, type KeyCatalogue } from './authenticator.js';

const ADMIN_KEY = 'quittance-local-admin';
const { key, credential } = generateApiKey();

class Keys implements KeyCatalogue {
  known = true;
  fresh = true;
  waits = 0;
  readonly ring = new ApiKeyRing();

  constructor(parts: ApiKeyParts = {}) {
    this.ring.put(apiKeyOf('checkout', credential, parts));
  }

  apiKey = (id: string) => (this.known ? this.ring.find(id) : undefined);
  isFresh = () => this.fresh;
  whenFresh = () => {
    this.waits++;
    this.known = true;
    return Promise.resolve();
  };
}

const as = (authorization: string | undefined, keys = new Keys()) =>
  authenticate(keys, ADMIN_KEY, { authorization });

describe('authentication', () => {
  it('knows an API key, its namespace and scopes', async () => {
    expect(key).toMatch(/^qk_[0-9a-f]{16}_[\w-]{43}$/);
    expect(await as(`Bearer ${key}`)).toEqual({
      kind: 'key',
      name: 'checkout',
      namespace: 'shop',
      scopes: ['publish'],
      apiKey: expect.objectContaining({ kind: 'ApiKey' }) as unknown,
      credentialId: credential.id,
    });
  });

  it('knows the admin key', async () => {
    expect(await as(`bearer ${ADMIN_KEY}`)).toMatchObject({ kind: 'admin' });
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Basic YTpi',
    `Bearer ${ADMIN_KEY}x`,
    'Bearer qk_unknown_secret',
    `Bearer qk_${credential.id}_${'A'.repeat(43)}`,
    `Bearer ${key} ${key}`,
    `Bearer qk_${'a'.repeat(10_000)}`,
  ])('answers 401 to %s, without repeating it', async (authorization) => {
    const error: unknown = await as(authorization).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: 'unauthenticated',
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
    expect(String(error)).not.toContain(credential.id);
  });

  it('asks again for an unknown key once the catalogue is fresh, and only then', async () => {
    const keys = new Keys();
    keys.known = false;
    await expect(as(`Bearer ${key}`, keys)).rejects.toMatchObject({ status: 401 });
    expect(keys.waits).toBe(0);
    keys.fresh = false;
    await expect(as(`Bearer ${key}`, keys)).resolves.toMatchObject({ name: 'checkout' });
    expect(keys.waits).toBe(1);
  });
});

describe('the life of a key', () => {
  const END = '2030-01-01T00:00:00+01:00';
  const NEVER_SAID = 'The key is unknown or was deleted.';
  const former = generateApiKey();
  const wrong = `Bearer ${key.slice(0, -8)}AAAAAAAA`;

  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  /** One millisecond before the end, and at the end. */
  async function aroundTheEnd(authorization: string, keys: Keys) {
    vi.setSystemTime(Date.parse(END) - 1);
    const before = await as(authorization, keys);
    vi.setSystemTime(Date.parse(END));
    const after: unknown = await as(authorization, keys).catch((error: unknown) => error);
    return { before, after };
  }

  it('ends when it expires', async () => {
    const { before, after } = await aroundTheEnd(`Bearer ${key}`, new Keys({ spec: { expiresAt: END } }));
    expect(before.name).toBe('checkout');
    expect(after).toMatchObject({
      code: 'key_expired',
      status: 401,
      message: expect.stringContaining('2029-12-31T23:00:00.000Z') as string,
      headers: { 'www-authenticate': 'Bearer' },
    });
  });

  it('goes on for a credential that was rotated away, until its time is over', async () => {
    const keys = new Keys({ former: [{ ...former.credential, validUntil: END }] });
    const { before, after } = await aroundTheEnd(`Bearer ${former.key}`, keys);
    expect(before).toMatchObject({ name: 'checkout', credentialId: former.credential.id });
    expect(after).toMatchObject({
      code: 'key_expired',
      message: expect.stringContaining('replaced') as string,
    });
    expect(await as(`Bearer ${key}`, keys)).toMatchObject({ credentialId: credential.id });
  });

  it('is not prolonged by a rotation', async () => {
    const keys = new Keys({
      spec: { expiresAt: END },
      former: [{ ...former.credential, validUntil: '2031-01-01T00:00:00Z' }],
    });
    const { after } = await aroundTheEnd(`Bearer ${former.key}`, keys);
    expect(after).toMatchObject({ code: 'key_expired' });
  });

  it('ends with its revocation, for every credential, whatever else has ended', async () => {
    const keys = new Keys({
      spec: { expiresAt: '2020-01-01T00:00:00Z' },
      former: [{ ...former.credential, validUntil: '2020-01-01T00:00:00Z' }],
      revokedAt: '2026-01-01T00:00:00Z',
    });
    for (const each of [key, former.key]) {
      await expect(as(`Bearer ${each}`, keys)).rejects.toMatchObject({ code: 'key_revoked', status: 401 });
    }
  });

  it.each<[string, ApiKeyParts]>([
    ['revoked', { revokedAt: '2026-01-01T00:00:00Z' }],
    ['expired', { spec: { expiresAt: '2020-01-01T00:00:00Z' } }],
  ])('is told to nobody who does not know the secret: %s', async (_what, parts) => {
    await expect(as(wrong, new Keys(parts))).rejects.toMatchObject({
      code: 'unauthenticated',
      message: NEVER_SAID,
    });
  });
});

describe('who is recognised', () => {
  it('is told as soon as the id names a key, also when the key is refused', async () => {
    const recognised: string[] = [];
    const tell = (authorization: string, parts: ApiKeyParts = {}) =>
      authenticate(new Keys(parts), ADMIN_KEY, { authorization }, ({ metadata }) =>
        recognised.push(metadata.name),
      ).catch(() => undefined);
    await tell(`Bearer qk_${credential.id}_wrong`);
    await tell(`Bearer ${key}`, { revokedAt: '2026-01-01T00:00:00Z' });
    await tell(`Bearer ${key}`);
    expect(recognised).toEqual(['checkout', 'checkout', 'checkout']);
    await tell('Bearer qk_0000_unknown');
    await tell(`Bearer ${ADMIN_KEY}`);
    expect(recognised).toHaveLength(3);
  });
});

describe('scopes', () => {
  it('bind a key to its namespace and its scopes, and the admin to none', async () => {
    const principal = await as(`Bearer ${key}`);
    expect(() => requireScope(principal, 'shop', 'publish')).not.toThrow();
    expect(() => requireScope(principal, 'shop', 'manage')).toThrow(/lacks the scope "manage"/);
    expect(() => requireScope(principal, 'other', 'publish')).toThrow(/another namespace/);
    const admin = await as(`Bearer ${ADMIN_KEY}`);
    expect(() => requireScope(admin, 'other', 'manage')).not.toThrow();
  });
});
