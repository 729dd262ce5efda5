import { API_VERSION, type ApiKeyResource } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { keyStatusOf, type KeyFacts } from './key-status.js';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const SHA256 = 'ab'.repeat(32);

const key: ApiKeyResource = {
  apiVersion: API_VERSION,
  kind: 'ApiKey',
  metadata: {
    name: 'checkout',
    namespace: 'shop',
    uid: 'uid-of-checkout',
    labels: {},
    annotations: {},
    generation: 1,
    resourceVersion: '1',
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  },
  spec: { description: '', scopes: ['publish'], expiresAt: '2027-01-01T00:00:00Z' },
  status: {},
  credential: { id: 'cccccccccccccccc', sha256: SHA256 },
  former: [
    { id: 'bbbbbbbbbbbbbbbb', sha256: SHA256, validUntil: '2026-03-01T13:00:00.000Z' },
    { id: 'aaaaaaaaaaaaaaaa', sha256: SHA256, validUntil: '2026-03-01T11:00:00.000Z' },
  ],
};
const NOTHING: KeyFacts = { lastUsed: new Map(), revoked: new Map() };

describe('the status of an API key', () => {
  it('says which credentials work and until when, and shows none of them', () => {
    const status = keyStatusOf(key, NOTHING, NOW);
    expect(status).toEqual({
      credentialId: 'cccccccc',
      former: [{ credentialId: 'bbbbbbbb', validUntil: '2026-03-01T13:00:00.000Z' }],
      expiresAt: '2027-01-01T00:00:00Z',
    });
  });

  it('says when it was used last, and when each credential that is on its way out was', () => {
    const lastUsed = new Map([
      ['cccccccccccccccc', new Date('2026-02-01T00:00:00Z')],
      ['bbbbbbbbbbbbbbbb', new Date('2026-02-02T00:00:00Z')],
    ]);
    expect(keyStatusOf(key, { ...NOTHING, lastUsed }, NOW)).toMatchObject({
      lastUsedAt: '2026-02-02T00:00:00.000Z',
      former: [{ credentialId: 'bbbbbbbb', lastUsedAt: '2026-02-02T00:00:00.000Z' }],
    });
  });

  it('says that it was revoked, also while the database does not know', () => {
    const revoked = new Map([['uid-of-checkout', '2026-03-01T11:59:00.000Z']]);
    expect(keyStatusOf(key, { ...NOTHING, revoked }, NOW)['revokedAt']).toBe('2026-03-01T11:59:00.000Z');
    const recorded = { ...key, status: { revokedAt: '2026-02-28T00:00:00.000Z' } };
    expect(keyStatusOf(recorded, NOTHING, NOW)['revokedAt']).toBe('2026-02-28T00:00:00.000Z');
  });
});
