import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  apiKeyScope,
  Problem,
  type ApiKeyCredential,
  type ApiKeyResource,
  type ApiKeyScope,
} from '@quittance/contracts';
import type { KnownApiKey } from './api-key-ring.js';

/** Who is asking. An admin may do everything in every namespace; a key what its scopes say in its own. */
export interface Principal {
  kind: 'admin' | 'key';
  name: string;
  /** Missing for the admin. */
  namespace?: string;
  scopes: readonly ApiKeyScope[];
  /** Missing for the admin. */
  apiKey?: ApiKeyResource;
  /** The `<id>` of the `qk_<id>_<secret>` that was sent: during a rotation a key has several. Missing for the admin. */
  credentialId?: string;
}

/** What the authenticator needs of the catalogue. */
export interface KeyCatalogue {
  apiKey(credentialId: string): KnownApiKey | undefined;
  isFresh(): boolean;
  /** @throws CatalogueBehindError */
  whenFresh(timeoutMs: number): Promise<void>;
}

const API_KEY = /^qk_([a-z0-9]{1,64})_[A-Za-z0-9_-]{1,128}$/;
const BEARER = /^bearer +(\S{1,512})$/i;
/** Longer than a fetch (100 ms) and a retry of it, shorter than a client's patience. */
const FRESHNESS_TIMEOUT_MS = 4000;
const ADMIN: Principal = { kind: 'admin', name: 'admin', scopes: apiKeyScope.options };

/**
 * Reads `Authorization: Bearer …`: the admin key, or an API key of the catalogue.
 * A key that is not known is looked up again once the catalogue is fresh, so that a key works as soon as the request
 * that created it was answered.
 * @param onRecognised called as soon as the id names a key, whether or not the rest of it is right
 * @throws Problem `unauthenticated`, and to who knows the secret `key_revoked` or `key_expired`; CatalogueBehindError
 *   when a key is unknown and Kafka cannot be asked
 */
export async function authenticate(
  catalogue: KeyCatalogue,
  adminKey: string,
  headers: { authorization?: string | string[] | undefined },
  onRecognised?: (resource: ApiKeyResource) => void,
): Promise<Principal> {
  const { authorization } = headers;
  const token = BEARER.exec((typeof authorization === 'string' ? authorization : '').trim())?.[1];
  if (token === undefined) {
    throw refused('unauthenticated', 'Send a key in the header "Authorization: Bearer …".');
  }
  const digest = sha256(token);
  if (timingSafeEqual(digest, adminDigest(adminKey))) return ADMIN;
  const id = API_KEY.exec(token)?.[1];
  if (id === undefined) {
    throw refused('unauthenticated', 'The key is not one of ours: API keys begin with "qk_".');
  }
  let known = catalogue.apiKey(id);
  if (known === undefined && !catalogue.isFresh()) {
    await catalogue.whenFresh(FRESHNESS_TIMEOUT_MS);
    known = catalogue.apiKey(id);
  }
  if (known !== undefined) onRecognised?.(known.resource);
  if (known === undefined || !matches(digest, known.credential)) {
    throw refused('unauthenticated', 'The key is unknown or was deleted.');
  }
  assertValid(known);
  return principalOf(known);
}

/** @throws Problem `forbidden` */
export function requireScope(principal: Principal, namespace: string, scope: ApiKeyScope): void {
  if (principal.kind === 'admin') return;
  if (principal.namespace !== namespace) {
    throw new Problem('forbidden', `The key belongs to another namespace than "${namespace}".`);
  }
  if (!principal.scopes.includes(scope)) {
    throw new Problem('forbidden', `The key lacks the scope "${scope}".`);
  }
}

/** A new API key, shown once, and what is stored of it. */
export function generateApiKey(): { key: string; credential: ApiKeyCredential } {
  const id = randomBytes(8).toString('hex');
  const key = `qk_${id}_${randomBytes(32).toString('base64url')}`;
  return { key, credential: { id, sha256: sha256(key).toString('hex') } };
}

/** Only for who has sent the right secret: nobody else learns what became of a key. */
function assertValid(known: KnownApiKey): void {
  const { resource, credential, validUntil, revoked } = known;
  if (revoked) throw refused('key_revoked', 'The key was revoked for good: create another one.');
  if (validUntil === undefined || Date.now() < validUntil) return;
  const at = new Date(validUntil).toISOString();
  const isFormer = credential.id !== resource.credential.id;
  throw refused(
    'key_expired',
    isFormer
      ? `The key was replaced by a rotation and has not worked since ${at}: use its successor.`
      : `The key has not worked since ${at}, when it expired: create another one, or extend it.`,
  );
}

function principalOf({ resource, credential }: KnownApiKey): Principal {
  return {
    kind: 'key',
    name: resource.metadata.name,
    namespace: resource.metadata.namespace,
    scopes: resource.spec.scopes,
    apiKey: resource,
    credentialId: credential.id,
  };
}

function matches(digest: Buffer, credential: ApiKeyCredential): boolean {
  const stored = Buffer.from(credential.sha256, 'hex');
  return stored.length === digest.length && timingSafeEqual(stored, digest);
}

let admin: { key: string; digest: Buffer } | undefined;

/** The admin key is the same for the life of the process: hashed once, not once per request. */
function adminDigest(key: string): Buffer {
  if (admin?.key !== key) admin = { key, digest: sha256(key) };
  return admin.digest;
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

function refused(code: 'unauthenticated' | 'key_expired' | 'key_revoked', detail: string): Problem {
  return new Problem(code, detail, {}, { 'www-authenticate': 'Bearer' });
}
