import type { ApiKeyResource, FormerCredential } from '@quittance/contracts';

/** What the row of an API key keeps in `secrets`. */
export type KeyCredentials = Pick<ApiKeyResource, 'credential' | 'former'>;

/** With more rotations than this within one overlap, the oldest key stops early. */
const MAX_FORMER = 5;

/** What a key's credentials become once `credential` is the one in use, and the one before works for `overlapMs` more. */
export function rotated(
  { credential: before, former }: KeyCredentials,
  credential: KeyCredentials['credential'],
  overlapMs: number,
  nowMs: number,
): KeyCredentials {
  const retiring: FormerCredential[] =
    overlapMs > 0 ? [{ ...before, validUntil: new Date(nowMs + overlapMs).toISOString() }] : [];
  return { credential, former: [...retiring, ...stillValid(former, nowMs)].slice(0, MAX_FORMER) };
}

export function stillValid(former: readonly FormerCredential[], nowMs: number): FormerCredential[] {
  return former.filter(({ validUntil }) => Date.parse(validUntil) > nowMs);
}
