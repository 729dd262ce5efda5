const ALWAYS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
/** Two years, as the preload lists of browsers ask; of this host only. */
const STRICT_TRANSPORT = 'max-age=63072000';

/** What every answer carries: nobody caches, sniffs, frames or runs it. */
export function securityHeaders(tls: boolean): Readonly<Record<string, string>> {
  return tls ? { ...ALWAYS, 'strict-transport-security': STRICT_TRANSPORT } : ALWAYS;
}
