import { Catalogue, generateApiKey, type ConfigSource } from '@quittance/catalog';
import {
  API_VERSION,
  apiKeySpec,
  encodeConfigChange,
  parseLadder,
  type ApiKeyResource,
  type ApiKeyScope,
  type ConfigChange,
  type IncomingRecord,
  type KeyUsedOutcome,
} from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../logging/logger.js';
import { Access } from './access.js';
import { KeyUsage } from './key-usage.js';

const ADMIN_KEY = 'an-admin-key-for-specs';
const AT = '2026-01-01T00:00:00Z';

class ListedConfig implements ConfigSource {
  confirmedAt = Infinity;
  readonly alive = true;

  constructor(private readonly changes: ConfigChange[]) {}

  start(onRecord: (record: IncomingRecord) => void): Promise<void> {
    for (const [index, change] of this.changes.entries()) {
      const { key, value } = encodeConfigChange('config', change);
      onRecord({
        topic: 'config',
        partition: 0,
        offset: BigInt(index),
        timestamp: 0,
        key: key === null ? null : Buffer.from(key),
        value,
        headers: {},
      });
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function newKey(name: string, scopes: ApiKeyScope[], parts: Partial<ApiKeyResource> = {}) {
  const { key, credential } = generateApiKey();
  const resource: ApiKeyResource = {
    apiVersion: API_VERSION,
    kind: 'ApiKey',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      labels: {},
      annotations: {},
      generation: 1,
      resourceVersion: '1',
      createdAt: AT,
      updatedAt: AT,
    },
    spec: apiKeySpec.parse({ scopes }),
    status: {},
    credential,
    former: [],
    ...parts,
  };
  return { authorization: `Bearer ${key}`, resource };
}

async function open(resources: ApiKeyResource[], isReady = true) {
  const changes: ConfigChange[] = resources.map((resource) => ({ change: 'put', resource }));
  if (isReady) changes.push({ change: 'snapshot', at: AT });
  const catalogue = new Catalogue({
    source: new ListedConfig(changes),
    stalenessMs: 200,
    ladder: parseLadder('5s'),
  });
  await catalogue.start();
  const used: KeyUsedOutcome[] = [];
  const usage = new KeyUsage(
    (outcome) => Promise.resolve(used.push(outcome)),
    createLogger({ service: 'spec', version: '0', level: 'silent' }),
  );
  return { access: new Access(catalogue, ADMIN_KEY, usage), used };
}

describe('access', () => {
  const manager = newKey('manager', ['manage']);
  const reader = newKey('reader', ['read']);

  it('is given by scopes, of which "manage" holds "read"', async () => {
    const { access } = await open([manager.resource, reader.resource]);
    expect(await access.require(manager.authorization, 'shop', 'manage')).toBe('api-key:shop/manager');
    expect(await access.require(manager.authorization, 'shop', 'read')).toBe('api-key:shop/manager');
    expect(await access.require(`Bearer ${ADMIN_KEY}`, 'other', 'manage')).toBe('admin');
    await expect(access.require(reader.authorization, 'shop', 'manage')).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  it('is refused to a key that is over, with the code that says why', async () => {
    const revoked = newKey('revoked', ['read'], { status: { revokedAt: AT } });
    const expired = newKey('expired', ['read'], {
      spec: apiKeySpec.parse({ scopes: ['read'], expiresAt: AT }),
    });
    const { access, used } = await open([revoked.resource, expired.resource]);
    await expect(access.require(revoked.authorization, 'shop', 'read')).rejects.toMatchObject({
      code: 'key_revoked',
    });
    await expect(access.require(expired.authorization, 'shop', 'read')).rejects.toMatchObject({
      code: 'key_expired',
    });
    expect(used).toEqual([]);
  });

  it('of a key that is not known yet is undecided while the configuration is being read', async () => {
    const { access } = await open([], false);
    await expect(access.require(reader.authorization, 'shop', 'read')).rejects.toMatchObject({
      code: 'not_ready',
    });
    await expect(access.require(undefined, 'shop', 'read')).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  it('counts as a use of the key, also when its scopes do not reach', async () => {
    const { access, used } = await open([manager.resource, reader.resource]);
    await access.require(manager.authorization, 'shop', 'read');
    await access.require(reader.authorization, 'other', 'read').catch(() => undefined);
    await access.require(`Bearer ${ADMIN_KEY}`, 'shop', 'read');
    expect(used.map(({ name, credentialId }) => [name, credentialId])).toEqual([
      ['manager', manager.resource.credential.id],
      ['reader', reader.resource.credential.id],
    ]);
  });

  it('of the admin only is refused to every key', async () => {
    const { access } = await open([manager.resource]);
    expect(await access.requireAdmin(`Bearer ${ADMIN_KEY}`)).toBe('admin');
    await expect(access.requireAdmin(manager.authorization)).rejects.toMatchObject({ code: 'forbidden' });
  });
});
