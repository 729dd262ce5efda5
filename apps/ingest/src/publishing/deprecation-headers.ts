import type { Deprecation } from '@quittance/contracts';

/**
 * What tells publishers that a type or a version is on its way out: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594), of
 * several the earliest.
 */
export function deprecationHeaders(deprecations: readonly Deprecation[]): Record<string, string> {
  if (deprecations.length === 0) return {};
  const since = Math.min(...deprecations.map((deprecation) => Date.parse(deprecation.since)));
  const sunsets = deprecations.flatMap(({ sunset }) => (sunset === undefined ? [] : [Date.parse(sunset)]));
  return {
    deprecation: `@${Math.floor(since / 1000)}`,
    ...(sunsets.length > 0 && { sunset: new Date(Math.min(...sunsets)).toUTCString() }),
  };
}
