import { describe, expect, it } from 'vitest';
import { apiKeyOf } from './catalogue.fixture.js';
import { authenticate, generateApiKey, requireScope, type KeyCatalogue } from './authenticator.js';

const ADMIN_KEY = 'quittance-local-admin';
const { key, credential } = generateApiKey();

class Keys implements KeyCatalogue {
  known = true;
  fresh = true;
  waits = 0;
  apiKey = (id: string) =>
    this.known && id === credential.id ? apiKeyOf('checkout', credential) : undefined;
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
