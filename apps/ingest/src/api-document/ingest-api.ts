import { resourceName } from '@quittance/contracts';
import { documentOperation, type ApiDescription, type ApiOperation } from '@quittance/service';
import * as z from 'zod';
import {
  acceptedBatch,
  acceptedEvent,
  cloudEvent,
  cloudEventBatch,
  DEPRECATION_HEADERS,
  plainEvent,
  RATE_HEADERS,
} from './event-schemas.js';
import { inboundOperations } from './inbound-operations.js';

const CLOUD_EVENT = {
  specversion: '1.0',
  id: 'order-1',
  source: '/checkout',
  type: 'order.completed',
  data: { total: 120.5 },
};

const publishHeaders = z.object({
  'Quittance-Namespace': resourceName
    .optional()
    .describe('The namespace that is published to. The admin key needs it; an API key has its own.'),
  'Idempotency-Key': z
    .string()
    .regex(/^[\u0021-\u007e]{1,255}$/)
    .optional()
    .describe('Makes the id of events that have none, so that a repetition is the same event.'),
});

const operations: ApiOperation[] = [
  {
    method: 'post',
    path: '/v1/events',
    id: 'publishEvents',
    tag: 'events',
    summary: 'Publish an event, or a batch.',
    description:
      "Besides the JSON forms, CloudEvents' binary mode: attributes in `ce-…` headers, the body is the data, of any content type. " +
      'Answered after the acknowledgement by all in-sync replicas. A batch with a wrong event is refused as a whole.',
    access: 'publish',
    headers: publishHeaders,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: plainEvent,
          example: { type: 'order.completed', data: { total: 120.5 } },
        },
        'application/cloudevents+json': { schema: cloudEvent, example: CLOUD_EVENT },
        'application/cloudevents-batch+json': { schema: cloudEventBatch, example: [CLOUD_EVENT] },
      },
    },
    answers: {
      202: {
        description: 'Kafka has it. A batch is answered with one entry per event.',
        content: { 'application/json': z.union([acceptedEvent, acceptedBatch]) },
        headers: { ...RATE_HEADERS, ...DEPRECATION_HEADERS },
      },
    },
    problems: [
      'invalid_cloudevent',
      'unknown_event_type',
      'unknown_schema_version',
      'schema_mismatch',
      'rate_limited',
      'kafka_unavailable',
    ],
  },
  ...inboundOperations,
  documentOperation,
];

/** What ingest answers. */
export const ingestApi: ApiDescription = {
  title: 'Quittance ingest',
  description: 'Takes events in: from publishers with a key, and from third parties that post webhooks.',
  localUrl: 'http://127.0.0.1:8080',
  tags: [
    { name: 'events', description: 'Publish events.' },
    { name: 'inbound', description: 'Webhooks of third parties.' },
    { name: 'about', description: 'This API.' },
  ],
  operations,
};
