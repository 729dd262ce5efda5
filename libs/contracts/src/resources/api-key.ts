import * as z from 'zod';

export const apiKeyScope = z.enum(['publish', 'read', 'manage']);
export type ApiKeyScope = z.infer<typeof apiKeyScope>;

export const apiKeySpec = z.strictObject({
  description: z.string().max(4096).default(''),
  scopes: z.array(apiKeyScope).min(1),
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
