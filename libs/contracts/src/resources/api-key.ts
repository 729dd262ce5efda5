import * as z from 'zod';
import { rateLimit } from './limits.js';

export const apiKeyScope = z.enum(['publish', 'read', 'manage']);
export type ApiKeyScope = z.infer<typeof apiKeyScope>;

export const apiKeySpec = z.strictObject({
  description: z.string().max(4096).default(''),
  scopes: z.array(apiKeyScope).min(1).max(apiKeyScope.options.length),
  /** From then on the key is refused, RFC 3339. Left out: never. */
  expiresAt: z.iso.datetime({ offset: true }).optional(),
  /** Of the events that are published with it. */
  rateLimit: rateLimit.optional(),
});
export type ApiKeySpec = z.infer<typeof apiKeySpec>;

/** What is stored of a key instead of the key. */
export const apiKeyCredential = z.object({
  /** The `<id>` of `qk_<id>_<secret>`. */
  id: z.string(),
  /** SHA-256 of the whole key, hex. */
  sha256: z.string(),
});
export type ApiKeyCredential = z.infer<typeof apiKeyCredential>;

/** A credential that was rotated away, and works until its time is over. */
export const formerCredential = apiKeyCredential.extend({ validUntil: z.iso.datetime({ offset: true }) });
export type FormerCredential = z.infer<typeof formerCredential>;

export const apiKeyStatus = z.object({
  /** RFC 3339. Revoked for good: a new key needs a new resource. */
  revokedAt: z.string().optional(),
});
export type ApiKeyStatus = z.infer<typeof apiKeyStatus>;
