import * as z from 'zod';
import { durationText, rateLimit } from './limits.js';

export const apiKeyScope = z.enum(['publish', 'read', 'manage']);
export type ApiKeyScope = z.infer<typeof apiKeyScope>;

export const apiKeySpec = z
  .strictObject({
    description: z.string().max(4096).default(''),
    scopes: z.array(apiKeyScope).min(1).max(apiKeyScope.options.length),
    expiresAt: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('From then on the key is refused, RFC 3339. Left out: never.'),
    rateLimit: rateLimit.optional().describe('Of the events that are published with it.'),
  })
  .meta({ id: 'ApiKeySpec' });
export type ApiKeySpec = z.infer<typeof apiKeySpec>;

/** What is stored of a key instead of the key. */
export const apiKeyCredential = z.object({
  id: z.string().describe('The `<id>` of `qk_<id>_<secret>`.'),
  sha256: z.string().describe('SHA-256 of the whole key, hex.'),
});
export type ApiKeyCredential = z.infer<typeof apiKeyCredential>;

/** A credential that was rotated away, and works until its time is over. */
export const formerCredential = apiKeyCredential.extend({ validUntil: z.iso.datetime({ offset: true }) });
export type FormerCredential = z.infer<typeof formerCredential>;

export const apiKeyStatus = z.object({
  revokedAt: z.string().optional().describe('RFC 3339. Revoked for good: a new key needs a new resource.'),
});
export type ApiKeyStatus = z.infer<typeof apiKeyStatus>;

const MONTH_MS = 30 * 86_400_000;

/** The body of a rotation. */
export const apiKeyRotation = z.strictObject({
  /** How long the credential before keeps working. */
  overlap: durationText(0, MONTH_MS, '0s to 30d').default('24h'),
});
