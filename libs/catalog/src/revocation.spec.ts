import { DEFAULT_LADDER, type ApiKeyResource, type ConfigChange } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { authenticate, generateApiKey } from './authenticator.js';
import { apiKeyOf, MemoryConfigSource, type ApiKeyParts } from './catalogue.fixture.js';
import { Catalogue } from './catalogue.js';

const first = generateApiKey();
const rotated = generateApiKey();
const successor = generateApiKey();
const AT = '2026-01-01T00:00:00.000Z';

const put = (resource: ApiKeyResource): ConfigChange => ({ change: 'put', resource });
/** Of the key that is revoked. */
const own = (parts: ApiKeyParts = {}) => put(apiKeyOf('checkout', first.credential, { uid: 'u1', ...parts }));
const afterRotation = (revokedAt?: string) =>
  put(
    apiKeyOf('checkout', rotated.credential, {
      uid: 'u1',
      former: [{ ...first.credential, validUntil: '2999-01-01T00:00:00Z' }],
      ...(revokedAt !== undefined && { revokedAt }),
    }),
  );
const another = put(apiKeyOf('checkout', successor.credential, { uid: 'u2' }));
const gone: ConfigChange = { change: 'delete', kind: 'ApiKey', namespace: 'shop', name: 'checkout' };

const revocation = { namespace: 'shop', name: 'checkout', uid: 'u1', revokedAt: AT, actor: 'admin' };
const revoke: ConfigChange = { change: 'revoke', revocation };
const settle: ConfigChange = { change: 'settle-revocation', namespace: 'shop', uid: 'u1' };

type Fate = 'works' | 'key_revoked' | 'unauthenticated';

/** What must become of each key, told from the last record of the name and the last record of the revocation alone. */
function expected(changes: ConfigChange[]): Fate[] {
  const key = changes.findLast(({ change }) => change === 'put' || change === 'delete');
  const last = changes.findLast(({ change }) => change === 'revoke' || change === 'settle-revocation');
  const resource = key?.change === 'put' && key.resource.kind === 'ApiKey' ? key.resource : undefined;
  const isRevoked =
    resource?.status.revokedAt !== undefined ||
    (last?.change === 'revoke' && resource?.metadata.uid === last.revocation.uid);
  return [first, rotated, successor].map(({ credential }) => {
    const ids = resource ? [resource.credential, ...resource.former].map(({ id }) => id) : [];
    if (!ids.includes(credential.id)) return 'unauthenticated';
    return isRevoked ? 'key_revoked' : 'works';
  });
}

async function fates(catalogue: Catalogue): Promise<Fate[]> {
  return Promise.all(
    [first, rotated, successor].map(({ key }) =>
      authenticate(catalogue, 'an-admin-key-for-specs', { authorization: `Bearer ${key}` }).then(
        (): Fate => 'works',
        (error: { code: Fate }) => error.code,
      ),
    ),
  );
}

function open() {
  const source = new MemoryConfigSource();
  const catalogue = new Catalogue({ source, stalenessMs: 200, ladder: DEFAULT_LADDER });
  return { source, catalogue };
}

/** Every way to weave two lists into one that keeps the order of each. */
function* interleavings<T>(left: T[], right: T[]): Generator<T[]> {
  if (left.length === 0 || right.length === 0) {
    yield [...left, ...right];
    return;
  }
  for (const rest of interleavings(left.slice(1), right)) yield [left[0]!, ...rest];
  for (const rest of interleavings(left, right.slice(1))) yield [right[0]!, ...rest];
}

const KEY_HISTORIES: Record<string, ConfigChange[]> = {
  'rotated, marked as revoked, deleted and created again': [
    own(),
    afterRotation(),
    afterRotation(AT),
    gone,
    another,
  ],
  'replaced by another key of its name without a record of the deletion': [own(), another],
  'put again and again': [own(), own(), afterRotation(), own()],
  'never seen': [another],
};
const REVOCATION_HISTORIES: ConfigChange[][] = [[revoke], [revoke, revoke, settle], [settle, revoke]];

const cases = Object.entries(KEY_HISTORIES).flatMap(([name, history]) =>
  REVOCATION_HISTORIES.flatMap((revocations) =>
    [...interleavings(history, revocations)].map((changes) => [name, changes] as const),
  ),
);

describe('an emergency revocation', () => {
  it.each(cases)('counts in every order of records, for a key %s', async (_name, changes) => {
    const live = open();
    await live.catalogue.start();
    for (const [index, change] of changes.entries()) {
      live.source.put(change);
      const sofar = changes.slice(0, index + 1);
      expect(await fates(live.catalogue)).toEqual(expected(sofar));
      const restarted = open();
      for (const each of sofar) restarted.source.put(each);
      await restarted.catalogue.start();
      expect(await fates(restarted.catalogue)).toEqual(expected(sofar));
    }
  });

  it('counts before its key is known, also in the middle of the first reading', async () => {
    const { source, catalogue } = open();
    source.put(own());
    for (let n = 0; n < 250; n++) source.put(put(apiKeyOf(`other-${n}`, { id: `o${n}`, sha256: '' })));
    source.put(revoke);
    const started = catalogue.start();
    while (catalogue.apiKey(first.credential.id) === undefined) await new Promise(setImmediate);
    expect(catalogue.apiKey('o249')).toBeUndefined();
    expect(catalogue.apiKey(first.credential.id)).toMatchObject({ revoked: true });
    await started;
    expect(catalogue.revision).toBe(251);
  });

  it('is listed until it is settled', async () => {
    const { source, catalogue } = open();
    await catalogue.start();
    source.put(revoke);
    source.put({ change: 'revoke', revocation: { ...revocation, uid: 'u9' } });
    expect(catalogue.revocations()).toEqual([revocation, { ...revocation, uid: 'u9' }]);
    source.put(settle);
    expect(catalogue.revocations()).toEqual([{ ...revocation, uid: 'u9' }]);
  });

  it('says nothing of a key with the same uid in another namespace', async () => {
    const { source, catalogue } = open();
    await catalogue.start();
    source.put(own());
    source.put({ change: 'revoke', revocation: { ...revocation, namespace: 'other' } });
    expect((await fates(catalogue))[0]).toBe('works');
  });
});

describe('credentials', () => {
  it('that are handed on from one key to another are found with the later one', async () => {
    const { source, catalogue } = open();
    await catalogue.start();
    source.put(own());
    source.put(put(apiKeyOf('renamed', first.credential, { uid: 'u3' })));
    source.put(gone);
    expect(catalogue.apiKey(first.credential.id)?.resource.metadata.name).toBe('renamed');
  });

  it('that a rotation has dropped are forgotten', async () => {
    const { source, catalogue } = open();
    await catalogue.start();
    source.put(afterRotation());
    source.put(put(apiKeyOf('checkout', successor.credential, { uid: 'u1' })));
    expect(catalogue.apiKey(first.credential.id)).toBeUndefined();
    expect(catalogue.apiKey(rotated.credential.id)).toBeUndefined();
    expect(catalogue.apiKey(successor.credential.id)).toMatchObject({ revoked: false });
  });
});
