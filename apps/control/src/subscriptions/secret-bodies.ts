import * as z from 'zod';

const time = z.iso.datetime({ offset: true });

const secret = z.string().regex(/^whsec_/);
const publicKey = z.string().regex(/^whpk_/);
const former = z
  .array(z.object({ validUntil: time }))
  .describe('Secrets that were rotated away, and sign beside the new one until then; newest first.');

/** What a subscriber verifies with. */
export const secretAnswer = z.object({ secret, former });
export type SecretAnswer = z.infer<typeof secretAnswer>;

/** What a rotation is answered with. */
export const rotationAnswer = secretAnswer.extend({
  publicKey: publicKey
    .optional()
    .describe('Where `spec.signing.asymmetric` is set: its key was rotated too.'),
});
export type RotationAnswer = z.infer<typeof rotationAnswer>;

const validKey = z.object({
  publicKey,
  validUntil: time.optional().describe('Rotated away: signs until then. Missing: the one in use.'),
});
export type PublicKey = z.infer<typeof validKey>;

export const publicKeysAnswer = z.object({
  keys: z.array(validKey).describe('Newest first. A signature by any of them is valid.'),
});
export type PublicKeysAnswer = z.infer<typeof publicKeysAnswer>;
