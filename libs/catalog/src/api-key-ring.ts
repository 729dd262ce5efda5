import type { ApiKeyCredential, ApiKeyResource, ApiKeyRevocation } from '@quittance/contracts';

/** A credential that was found by its id. */
export interface KnownApiKey {
  readonly resource: ApiKeyResource;
  /** The one that was asked for: the key's own, or one that was rotated away. */
  readonly credential: ApiKeyCredential;
  /** From then on it is refused, epoch milliseconds; missing when it never ends. */
  readonly validUntil?: number;
  /** True for good, for every credential of the key. */
  readonly revoked: boolean;
}

/**
 * API keys by the ids of all their credentials, and the revocations. A revocation counts whether its record or the key's
 * comes first, and for as long as it stands, whatever is put of that key; another key of the same name has another uid.
 */
export class ApiKeyRing {
  private readonly byName = new Map<string, ApiKeyResource>();
  private readonly byId = new Map<string, KnownApiKey>();
  /** By `namespace/uid`. */
  private readonly revoked = new Map<string, ApiKeyRevocation>();

  find(credentialId: string): KnownApiKey | undefined {
    return this.byId.get(credentialId);
  }

  named(namespace: string, name: string): ApiKeyResource | undefined {
    return this.byName.get(`${namespace}/${name}`);
  }

  /** Those that no record has settled. */
  revocations(): ApiKeyRevocation[] {
    return [...this.revoked.values()];
  }

  put(resource: ApiKeyResource): void {
    const { namespace, name } = resource.metadata;
    this.remove(namespace, name);
    this.byName.set(`${namespace}/${name}`, resource);
    const { credential, former, spec } = resource;
    const expiresAt = spec.expiresAt === undefined ? Infinity : Date.parse(spec.expiresAt);
    for (const { validUntil, ...old } of former) {
      this.add(resource, old, Math.min(Date.parse(validUntil), expiresAt));
    }
    this.add(resource, credential, expiresAt);
  }

  remove(namespace: string, name: string): void {
    const known = this.byName.get(`${namespace}/${name}`);
    if (known === undefined) return;
    this.byName.delete(`${namespace}/${name}`);
    for (const { id } of [known.credential, ...known.former]) {
      if (this.byId.get(id)?.resource === known) this.byId.delete(id);
    }
  }

  revoke(revocation: ApiKeyRevocation): void {
    this.revoked.set(`${revocation.namespace}/${revocation.uid}`, revocation);
  }

  settle(namespace: string, uid: string): void {
    this.revoked.delete(`${namespace}/${uid}`);
  }

  private add(resource: ApiKeyResource, credential: ApiKeyCredential, validUntil: number): void {
    const { revoked } = this;
    const { metadata, status } = resource;
    const revocationKey = `${metadata.namespace}/${metadata.uid}`;
    this.byId.set(credential.id, {
      resource,
      credential,
      ...(validUntil !== Infinity && { validUntil }),
      // Asked at every use: the revocation's record may come later than the key's.
      get revoked() {
        return status.revokedAt !== undefined || revoked.has(revocationKey);
      },
    });
  }
}
