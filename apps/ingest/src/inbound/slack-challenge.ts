import { Problem, type SourceVerify } from '@quittance/contracts';

const MAX_LENGTH = 1024;

/**
 * Slack's question, signed like any request of its, whether somebody listens here.
 * @returns the challenge, to be sent back; `undefined` when the body is not that question
 * @throws Problem `malformed_request`
 */
export function slackChallenge(verify: SourceVerify, body: unknown): string | undefined {
  if (verify.type !== 'slack' || typeof body !== 'object' || body === null) return undefined;
  const { type, challenge } = body as Record<string, unknown>;
  if (type !== 'url_verification') return undefined;
  if (typeof challenge === 'string' && challenge.length <= MAX_LENGTH) return challenge;
  throw new Problem(
    'malformed_request',
    `A "url_verification" must have a "challenge" of at most ${MAX_LENGTH} characters.`,
  );
}
