import * as z from 'zod';
import { cidr, durationText, rateLimit } from './limits.js';
import { eventTypeName } from './metadata.js';

const headerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'must be the name of an HTTP header');

/** Of the signed time against ours, both ways. */
const tolerance = durationText(1000, 3_600_000, '1s to 1h').default('5m');

const PLACEHOLDER = /\{([a-z]*)\}/g;

const signedContent = z
  .string()
  .max(200)
  .refine(
    (text) => {
      const names = [...text.matchAll(PLACEHOLDER)].map((match) => match[1]);
      return (
        names.filter((name) => name === 'body').length === 1 && !/[{}]/.test(text.replaceAll(PLACEHOLDER, ''))
      );
    },
    { error: 'must hold "{body}" once, and may hold "{timestamp}" and "{id}", such as "{timestamp}.{body}"' },
  )
  .refine(
    (text) => [...text.matchAll(PLACEHOLDER)].every((match) => /^(body|timestamp|id)$/.test(match[1]!)),
    {
      error: 'knows no other placeholders than "{body}", "{timestamp}" and "{id}"',
    },
  )
  .refine((text) => !text.includes('{id}{') && !text.includes('}{id}'), {
    error:
      'must have something between "{id}" and its neighbours: else one could lend the other its characters',
  });

const hmac = z
  .strictObject({
    type: z.literal('hmac'),
    header: headerName.describe('Carries the signature.'),
    algorithm: z.enum(['sha1', 'sha256', 'sha512']).default('sha256'),
    encoding: z.enum(['hex', 'base64']).default('hex'),
    prefix: z
      .string()
      .max(50)
      .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')
      .default('')
      .describe('Stands before the signature in its header, such as `sha256=`.'),
    content: signedContent.default('{body}').describe('What is signed.'),
    secretEncoding: z
      .enum(['utf8', 'hex', 'base64'])
      .default('utf8')
      .describe('How the secret spells the key.'),
    timestamp: z
      .strictObject({ header: headerName, unit: z.enum(['s', 'ms']).default('s'), tolerance })
      .optional()
      .describe('The header with the time that is signed.'),
    id: z
      .strictObject({ header: headerName })
      .optional()
      .describe("The header with the delivery's id; signed if `content` holds `{id}`."),
  })
  .refine((verify) => verify.content.includes('{timestamp}') === (verify.timestamp !== undefined), {
    error:
      'needs both "{timestamp}" in "content" and "timestamp", or neither: only a signed time says anything',
    path: ['timestamp'],
  })
  .refine((verify) => !verify.content.includes('{id}') || verify.id !== undefined, {
    error: 'must name the header with the id that "content" signs',
    path: ['id'],
  });

/** How a request proves who sent it. Always over the raw body, in constant time, by any of the source's secrets. */
export const sourceVerify = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('stripe'), tolerance }),
  z.strictObject({ type: z.literal('github') }),
  z.strictObject({ type: z.literal('shopify') }),
  z.strictObject({ type: z.literal('slack'), tolerance }),
  z.strictObject({ type: z.literal('standard-webhooks'), tolerance }),
  hmac,
  z.strictObject({ type: z.literal('bearer') }),
  z.strictObject({
    type: z.literal('basic'),
    username: z
      .string()
      .min(1)
      .max(255)
      .refine((name) => !name.includes(':'), { error: 'must not contain ":"' }),
  }),
  z.strictObject({ type: z.literal('api-key'), header: headerName.default('x-api-key') }),
  /** Anybody who can reach the address. */
  z.strictObject({ type: z.literal('none') }),
]);
export type SourceVerify = z.infer<typeof sourceVerify>;

/** CEL over `headers` (names in lower case), `body` and `query`, to a text. */
const expression = z.string().min(1).max(8192).meta({ format: 'cel-text' });

export const sourceSpec = z
  .strictObject({
    description: z.string().max(4096).default(''),
    verify: sourceVerify,
    allowedCidrs: z.array(cidr).max(100).default([]).describe('When given, only these addresses may send.'),
    type: z
      .union([z.strictObject({ value: eventTypeName }), z.strictObject({ expression })])
      .optional()
      .describe(
        "The event's type. Left out: the path's, where it names one, else what the provider says (`stripe.<type>`, `github.<X-GitHub-Event>`, …).",
      ),
    id: z
      .strictObject({ expression })
      .optional()
      .describe(
        "The event's id: the same id is delivered once. Left out: the provider's delivery id, else a new one each time.",
      ),
    body: z
      .enum(['auto', 'json', 'form', 'raw'])
      .default('auto')
      .describe('How the body is read. `auto`: by its content type.'),
    rateLimit: rateLimit.optional(),
    answer: z
      .strictObject({
        status: z.number().int().min(200).max(299).default(200),
        body: z.string().max(4096).default(''),
        contentType: z
          .string()
          .max(100)
          .regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(;\s*charset=utf-8)?$/i, 'must be a media type')
          .default('text/plain'),
      })
      .optional()
      .describe(
        'What the sender is answered once Kafka has the event. Left out: 202 and `{"id", "traceId"}`; Slack: 200, empty.',
      ),
    handshake: z
      .strictObject({
        hub: z
          .boolean()
          .default(false)
          .describe(
            'Answers `GET ?hub.challenge=…` (WebSub, Meta) with the challenge, if `hub.verify_token` is the stored one.',
          ),
        cloudEvents: z
          .strictObject({
            allowedOrigins: z
              .array(z.string().regex(/^(\*|[A-Za-z0-9.-]{1,253})$/, 'must be a host name or "*"'))
              .min(1)
              .max(100)
              .describe('Host names, or `*`.'),
            allowedRate: z
              .number()
              .int()
              .min(1)
              .max(1_000_000)
              .optional()
              .describe('Requests per minute that the sender may make. Left out: any number.'),
          })
          .optional()
          .describe("Answers CloudEvents' `OPTIONS` with `WebHook-Allowed-Origin`."),
      })
      .prefault({})
      .describe('Questions that senders ask before they send.'),
  })
  .meta({ id: 'SourceSpec' });
export type SourceSpec = z.infer<typeof sourceSpec>;

const secretText = z
  .string()
  .min(8)
  .max(1024)
  // oxlint-disable-next-line no-control-regex -- neither headers nor signatures carry them
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters');

/**
 * A source's secrets as they are put, beside `spec`, and never shown again. What is left out stays as it is.
 */
export const sourceSecretsInput = z.strictObject({
  verify: z
    .array(secretText)
    .min(1)
    .max(2)
    .optional()
    .describe(
      "The provider's signing secret, token, password or key. Two while one is replaced by the other: either counts.",
    ),
  handshakeToken: secretText.optional().describe('What `hub.verify_token` must be.'),
});
export type SourceSecretsInput = z.infer<typeof sourceSecretsInput>;

/** As stored: each sealed under the master key, for the context `Source/<uid>`. */
export const sourceSecrets = z.object({
  verify: z.array(z.string()).default([]),
  handshakeToken: z.string().optional(),
});
export type SourceSecrets = z.infer<typeof sourceSecrets>;
