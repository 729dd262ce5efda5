import { eventTypeName, resourceName } from '@quittance/contracts';
import type { ApiAnswer, ApiBody, ApiOperation } from '@quittance/service';
import * as z from 'zod';
import { acceptedEvent, DEPRECATION_HEADERS, RATE_HEADERS } from './event-schemas.js';

const source = z.object({
  namespace: resourceName.meta({ examples: ['shop'] }),
  source: resourceName.meta({ examples: ['payments'] }),
});
/** A source has both addresses; the second one only where it does not tell the type itself. */
const ADDRESSES = [
  { path: '/in/{namespace}/{source}', suffix: '', parameters: source },
  {
    path: '/in/{namespace}/{source}/{eventType}',
    suffix: 'Typed',
    parameters: source.extend({ eventType: eventTypeName.meta({ examples: ['payment.received'] }) }),
  },
];
const EXAMPLE = { id: 'evt_1', type: 'payment_intent.succeeded' };
const BODY: ApiBody = {
  'application/json': { schema: z.unknown(), example: EXAMPLE },
  'application/x-www-form-urlencoded': { schema: z.record(z.string(), z.string()), example: EXAMPLE },
  'application/octet-stream': { schema: 'bytes', example: 'anything' },
};
const TEXT = { 'text/plain': z.string() };
const ANSWERS: ApiOperation['answers'] = {
  200: { description: 'To Slack: empty, or its challenge.', content: TEXT, headers: RATE_HEADERS },
  202: {
    description: 'Kafka has it.',
    content: { 'application/json': acceptedEvent },
    headers: { ...RATE_HEADERS, ...DEPRECATION_HEADERS },
  },
  '2XX': { description: "The source's own answer, where it has one.", content: { '*/*': 'bytes' } },
};
const CONSENT: ApiAnswer = {
  description: 'The origin may send.',
  headers: {
    'WebHook-Allowed-Origin': { description: 'The origin, or `*`.', schema: { type: 'string' } },
    'WebHook-Allowed-Rate': {
      description: 'Requests per minute, or `*`.',
      schema: { type: 'string', pattern: '^([0-9]+|\\*)$' },
    },
  },
};

/** What third parties are answered. */
export const inboundOperations: ApiOperation[] = ADDRESSES.flatMap(({ path, suffix, parameters }) => {
  const about = { path, tag: 'inbound', access: 'open', pathParameters: parameters } as const;
  return [
    {
      ...about,
      method: 'post',
      id: `receiveWebhook${suffix}`,
      summary: 'Take a webhook of a third party in.',
      description:
        "The request must prove who sent it, in the way that the source's `verify` says: by a signature over the raw body, or by credentials.",
      body: { required: false, content: BODY },
      answers: ANSWERS,
      problems: [
        'signature_missing',
        'signature_invalid',
        'timestamp_out_of_tolerance',
        'forbidden',
        'address_not_allowed',
        'unknown_event_type',
        'unknown_schema_version',
        'schema_mismatch',
        'event_type_missing',
        'event_not_derived',
        'rate_limited',
        'kafka_unavailable',
        'not_ready',
      ],
    },
    {
      ...about,
      method: 'get',
      id: `answerHubChallenge${suffix}`,
      summary: 'Answer the challenge of WebSub and Meta.',
      query: z.object({
        'hub.challenge': z.string().min(1),
        'hub.verify_token': z.string().optional().describe("The source's `handshakeToken`."),
        'hub.mode': z.string().optional(),
      }),
      answers: { 200: { description: 'The challenge.', content: TEXT } },
      problems: ['address_not_allowed', 'handshake_refused', 'kafka_unavailable', 'not_ready'],
    },
    {
      ...about,
      method: 'options',
      id: `answerOriginRequest${suffix}`,
      summary: "Answer CloudEvents' validation of a webhook.",
      headers: z.object({
        'WebHook-Request-Origin': z.string().describe('Who wants to send.'),
        'WebHook-Request-Rate': z.string().optional().describe('How many requests per minute.'),
      }),
      answers: { 200: CONSENT },
      problems: ['address_not_allowed', 'handshake_refused', 'kafka_unavailable', 'not_ready'],
    },
  ] satisfies ApiOperation[];
});
