import * as z from 'zod';
import { cidrListVariable, durationVariable, integerVariable } from './variables.js';

function boundedDuration(defaultText: string, minMs: number, maxMs: number, range: string) {
  return durationVariable(defaultText).refine((ms) => ms >= minMs && ms <= maxMs, {
    error: `must be from ${range}`,
  });
}

/** What every service with a public port reads; the others have no use for it. */
export const httpVariables = {
  /** A request that has not arrived completely by then is cut off. */
  QUITTANCE_REQUEST_TIMEOUT: boundedDuration('30s', 100, 600_000, '100ms to 10m'),
  /** Connections at once; more are closed as they come. */
  QUITTANCE_MAX_CONNECTIONS: integerVariable(10_000, 1, 1_000_000),
  /** Proxies whose `X-Forwarded-For` is believed. */
  QUITTANCE_TRUSTED_PROXIES: cidrListVariable,
  /** Certificate, and its chain, in PEM; with the key: TLS is served. */
  QUITTANCE_TLS_CERT_FILE: z.string().optional(),
  QUITTANCE_TLS_KEY_FILE: z.string().optional(),
  /** How often the two files are looked at for a change. */
  QUITTANCE_TLS_RELOAD: boundedDuration('10s', 50, 86_400_000, '50ms to 1d'),
} as const;

export interface TlsVariables {
  QUITTANCE_TLS_CERT_FILE?: string | undefined;
  QUITTANCE_TLS_KEY_FILE?: string | undefined;
}

/** Reports the one of the two files that is missing. */
export function checkTlsPair(variables: TlsVariables, context: z.core.$RefinementCtx): void {
  const names = ['QUITTANCE_TLS_CERT_FILE', 'QUITTANCE_TLS_KEY_FILE'] as const;
  const missing = names.filter((name) => variables[name] === undefined);
  if (missing.length !== 1) return;
  context.addIssue({
    code: 'custom',
    path: [missing[0]!],
    message: 'is not set: TLS needs both the certificate and its key',
  });
}
