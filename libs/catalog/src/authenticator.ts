import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  apiKeyScope,
  Problem,
  type ApiKeyCredential,
  type ApiKeyResource,
  type ApiKeyScope,
} from '@quittance/contracts';

/** Who is asking. An admin may do everything in every namespace; a key what its scopes say in its own. */
export interface Principal {
  kind: 'admin' | 'key';
  name: string;
  /** Missing for the admin. */
  namespace?: string;
  scopes: readonly ApiKeyScope[];
}

/** What the authenticator needs of the catalogue. */
export interface KeyCatalogue {
  apiKey(id: string): ApiKeyResource | undefined;
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
 * @throws Problem `unauthenticated`; CatalogueBehindError when a key is unknown and Kafka cannot be asked
 */
export async function authenticate(
  catalogue: KeyCatalogue,
  adminKey: string,
  headers: { authorization?: string | string[] | undefined },
): Promise<Principal> {
  const { authorization } = headers;
  const token = BEARER.exec((typeof authorization === 'string' ? authorization : '').trim())?.[1];
  if (token === undefined) throw unauthenticated('Send a key in the header "Authorization: Bearer …".');
  const digest = sha256(token);
  if (timingSafeEqual(digest, adminDigest(adminKey))) return ADMIN;
  const id = API_KEY.exec(token)?.[1];
  if (id === undefined) throw unauthenticated('The key is not one of ours: API keys begin with "qk_".');
  let resource = catalogue.apiKey(id);
  if (resource === undefined && !catalogue.isFresh()) {
    await catalogue.whenFresh(FRESHNESS_TIMEOUT_MS);
    resource = catalogue.apiKey(id);
  }
  if (resource === undefined || !matches(digest, resource.credential)) {
    throw unauthenticated('The key is unknown or was deleted.');
  }
  return {
    kind: 'key',
    name: resource.metadata.name,
    namespace: resource.metadata.namespace,
    scopes: resource.spec.scopes,
  };
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

function unauthenticated(detail: string): Problem {
  return new Problem('unauthenticated', detail, {}, { 'www-authenticate': 'Bearer' });
}
