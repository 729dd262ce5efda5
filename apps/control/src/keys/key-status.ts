import type { ApiKeyResource } from '@quittance/contracts';
import { stillValid } from './key-credentials.js';

/** What is known of API keys beside their rows. */
export interface KeyFacts {
  /** By the id of a credential: when it was used last. */
  readonly lastUsed: ReadonlyMap<string, Date>;
  /** By the uid of a key: when it was revoked, where its row does not say so yet. */
  readonly revoked: ReadonlyMap<string, string>;
}

/** Enough of a credential's id to tell it from the others of its key. */
const ID_SHOWN = 8;

/** An API key's `status`: which credentials work, until when, and when they were used. */
export function keyStatusOf(
  { metadata, spec, status, credential, former }: ApiKeyResource,
  facts: KeyFacts,
  nowMs: number,
): Record<string, unknown> {
  const revokedAt = status.revokedAt ?? facts.revoked.get(metadata.uid);
  const lastUsedAt = latest([credential, ...former].flatMap(({ id }) => facts.lastUsed.get(id) ?? []));
  return {
    credentialId: credential.id.slice(0, ID_SHOWN),
    former: stillValid(former, nowMs).map(({ id, validUntil }) => ({
      credentialId: id.slice(0, ID_SHOWN),
      validUntil,
      ...lastUse(facts.lastUsed.get(id)),
    })),
    ...(spec.expiresAt !== undefined && { expiresAt: spec.expiresAt }),
    ...(revokedAt !== undefined && { revokedAt }),
    ...lastUse(lastUsedAt),
  };
}

function latest(times: readonly Date[]): Date | undefined {
  return times.toSorted((a, b) => b.getTime() - a.getTime())[0];
}

function lastUse(at: Date | undefined): { lastUsedAt?: string } {
  return at === undefined ? {} : { lastUsedAt: at.toISOString() };
}
