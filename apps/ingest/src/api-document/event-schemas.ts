import type { ApiHeader } from '@quittance/service';
import * as z from 'zod';
import { BASE64, MAX_BATCH_EVENTS } from '../events/json-mode.js';
import {
  MAX_BYTES,
  MAX_INT,
  MAX_NAME_LENGTH,
  MAX_OTHER_BYTES,
  MEDIA_TYPE,
  MIN_INT,
  URI,
} from '../publishing/attributes.js';

/*
 * What a request to publish looks like, for documents. Requests are not read with it: the readers keep the bytes of the
 * data as they were received. `event-schemas.spec.ts` holds the two to the same.
 */

/** Of CloudEvents' strings: no control characters. */
// oxlint-disable-next-line no-control-regex -- that is what it is about
const PRINTABLE = /^[^\u0000-\u001f\u007f-\u009f]+$/;

function text(name: string): z.ZodString {
  return z
    .string()
    .max(MAX_BYTES[name] ?? MAX_OTHER_BYTES)
    .regex(PRINTABLE);
}

/** Values of extension attributes; numbers and booleans are turned into their texts. */
function extension(name: string) {
  return z.union([text(name), z.boolean(), z.int().min(MIN_INT).max(MAX_INT), z.null()]);
}

const optional = {
  time: z.string().meta({ format: 'date-time' }).nullish().describe('When it happened, RFC 3339.'),
  subject: text('subject').nullish().describe('What it is about.'),
  datacontenttype: text('datacontenttype')
    .regex(MEDIA_TYPE)
    .meta({ format: 'media-type' })
    .nullish()
    .describe('The media type of the data. Left out: JSON. For others than JSON `data` is a string.'),
  dataschema: text('dataschema').regex(URI).nullish(),
  partitionkey: extension('partitionkey')
    .optional()
    .describe('Events with the same one are on the same partition of `events.v1`.'),
  schemaversion: extension('schemaversion')
    .optional()
    .describe("The version of the type's schema that the data follow. Left out: the last one."),
  data: z.unknown().optional().describe('Passed on byte for byte.'),
  data_base64: z.string().regex(BASE64).nullish().describe('Binary data, in place of `data`.'),
};

const required = {
  id: text('id').describe('The same id of the same source is the same event: it is delivered once.'),
  source: text('source').describe('Who it comes from.'),
  type: text('type').describe('Such as `order.completed`; what it means is in the catalogue.'),
};

/** What zod has no words for: names of extension attributes, and that data come in one form only. */
const names = {
  propertyNames: { pattern: `^([a-z0-9]{1,${MAX_NAME_LENGTH}}|data_base64)$` },
  not: { required: ['data', 'data_base64'], properties: { data_base64: { type: 'string' } } },
};

/** A CloudEvent in its JSON format; what else it has are extension attributes. */
export const cloudEvent = z
  .object({
    specversion: z.literal('1.0'),
    ...required,
    id: required.id.nullish().describe('May be left out with `Idempotency-Key` only, which makes one.'),
    ...optional,
  })
  .catchall(extension(''))
  .meta({ id: 'CloudEvent', ...names });

export const cloudEventBatch = z.array(cloudEvent).max(MAX_BATCH_EVENTS);

/** Where id and source may be left out. */
export const plainEvent = z
  .object({
    specversion: z.literal('1.0').optional(),
    type: required.type,
    id: required.id.nullish().describe('Left out: a new one, or one made of `Idempotency-Key`.'),
    source: required.source.nullish().describe('Left out: `/namespaces/<namespace>`.'),
    ...optional,
  })
  .catchall(extension(''))
  .meta({ id: 'Event', ...names });

export const acceptedEvent = z
  .object({
    id: z.string(),
    traceId: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .describe('Of the trace that spans all that becomes of it.'),
  })
  .meta({ id: 'AcceptedEvent' });

export const acceptedBatch = z
  .object({ events: z.array(acceptedEvent).describe('In the order of the batch.') })
  .meta({ id: 'AcceptedBatch' });

/** On answers to events of a type, or of a version, that is on its way out. */
export const DEPRECATION_HEADERS: Record<string, ApiHeader> = {
  Deprecation: { description: 'Since when (RFC 9745).', schema: { type: 'string', pattern: '^@[0-9]+$' } },
  Sunset: { description: 'From when on it may be gone (RFC 8594).', schema: { type: 'string' } },
};

/** Where a rate limit holds. */
export const RATE_HEADERS: Record<string, ApiHeader> = {
  'RateLimit-Policy': { description: 'The limits: `q` events in `w` seconds.', schema: { type: 'string' } },
  RateLimit: { description: 'What is left: `r` events; more in `t` seconds.', schema: { type: 'string' } },
};
