import type { ApiOperation } from '@quittance/service';
import * as z from 'zod';
import { kindNamed } from '../resources/kinds.js';
import { EXAMPLES } from './examples.js';
import { json, namespaceParameter, NAMESPACES } from './resource-operations.js';

const eventTypes = kindNamed('EventType');
const asyncApi = z.looseObject({
  asyncapi: z.literal('3.0.0'),
  info: z.looseObject({}),
  channels: z.record(z.string(), z.unknown()),
  operations: z.record(z.string(), z.unknown()),
});

/** What there is in a namespace's catalogue, for programs and for people. */
export const catalogueOperations: ApiOperation[] = [
  {
    method: 'get',
    path: `${NAMESPACES}/{namespace}/asyncapi.json`,
    id: 'getAsyncApiDocument',
    tag: 'event-types',
    summary: 'The event types of the namespace as an AsyncAPI 3 document.',
    access: 'read',
    pathParameters: z.object({ namespace: namespaceParameter }),
    answers: { 200: { description: 'The document.', content: json(asyncApi) } },
    problems: ['catalogue_too_large', 'store_unavailable'],
  },
  {
    method: 'get',
    path: `${NAMESPACES}/{namespace}/event-types/{name}/docs`,
    id: 'getEventTypePage',
    tag: 'event-types',
    summary: 'A page about an event type: the fields of its payload, and what publishers are answered.',
    access: 'read',
    pathParameters: z.object({
      namespace: namespaceParameter,
      name: eventTypes.name.meta({ examples: [EXAMPLES.EventType.name] }),
    }),
    answers: { 200: { description: 'The page.', content: { 'text/html': z.string() } } },
    problems: ['store_unavailable'],
  },
];
