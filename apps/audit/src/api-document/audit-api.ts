import { pageOf } from '@quittance/contracts';
import { documentOperation, type ApiDescription, type ApiOperation } from '@quittance/service';
import * as z from 'zod';
import {
  deliveryIdParameter,
  deliveryListQuery,
  eventIdParameter,
  eventListQuery,
  namespaceParameter,
  rejectionIdParameter,
  rejectionListQuery,
  storyQuery,
} from '../queries/parameters.js';
import { acceptedRetry, deliverySummary, eventStory, eventSummary } from '../queries/views.js';
import { rejectionSummary, rejectionView } from '../rejections/views.js';

const NAMESPACE = '/audit/v1/namespaces/{namespace}';

const namespace = z.object({ namespace: namespaceParameter.meta({ examples: ['shop'] }) });

function json(schema: z.ZodType): { 'application/json': z.ZodType } {
  return { 'application/json': schema };
}

const operations: ApiOperation[] = [
  {
    method: 'get',
    path: `${NAMESPACE}/events`,
    id: 'listEvents',
    tag: 'events',
    summary: 'Events, newest first.',
    access: 'read',
    pathParameters: namespace,
    query: eventListQuery,
    answers: { 200: { description: 'A page of events.', content: json(pageOf(eventSummary)) } },
    problems: ['invalid_cursor', 'store_unavailable'],
  },
  {
    method: 'get',
    path: `${NAMESPACE}/events/{id}`,
    id: 'getEvent',
    tag: 'events',
    summary: 'The story of an event: every delivery and every attempt.',
    access: 'read',
    pathParameters: namespace.extend({ id: eventIdParameter.meta({ examples: ['order-1'] }) }),
    query: storyQuery,
    answers: { 200: { description: 'What is known of the event.', content: json(eventStory) } },
    problems: ['ambiguous_event', 'store_unavailable'],
  },
  {
    method: 'get',
    path: `${NAMESPACE}/deliveries`,
    id: 'listDeliveries',
    tag: 'deliveries',
    summary: 'Deliveries, newest first.',
    access: 'read',
    pathParameters: namespace,
    query: deliveryListQuery,
    answers: { 200: { description: 'A page of deliveries.', content: json(pageOf(deliverySummary)) } },
    problems: ['invalid_cursor', 'store_unavailable'],
  },
  {
    method: 'post',
    path: `${NAMESPACE}/deliveries/{id}/retry`,
    id: 'retryDelivery',
    tag: 'deliveries',
    summary: 'Deliver once more.',
    description:
      'Rendered anew, to the same subscription, whatever its filter says; `webhook-id` stays the same.',
    access: 'manage',
    pathParameters: namespace.extend({
      id: deliveryIdParameter.meta({ examples: ['dlv_wsYf4KVFbfl9_KTXc38qGh4mDms'] }),
    }),
    answers: { 202: { description: 'It is on its way.', content: json(acceptedRetry) } },
    problems: ['not_retryable', 'kafka_unavailable', 'store_unavailable'],
  },
  {
    method: 'get',
    path: `${NAMESPACE}/rejections`,
    id: 'listRejections',
    tag: 'rejections',
    summary: 'Input that ingest refused, newest first.',
    description: 'There is a cap on how many are kept in a time; `suppressedBefore` counts the others.',
    access: 'read',
    pathParameters: namespace,
    query: rejectionListQuery,
    answers: { 200: { description: 'A page of rejections.', content: json(pageOf(rejectionSummary)) } },
    problems: ['invalid_cursor', 'store_unavailable'],
  },
  {
    method: 'get',
    path: `${NAMESPACE}/rejections/{id}`,
    id: 'getRejection',
    tag: 'rejections',
    summary: 'A rejection, with the body as far as it was kept.',
    access: 'read',
    pathParameters: namespace.extend({
      id: rejectionIdParameter.meta({ examples: ['01a20a30-1f13-7e4a-baa2-3274ae68ef42'] }),
    }),
    answers: { 200: { description: 'What was refused, and why.', content: json(rejectionView) } },
    problems: ['store_unavailable'],
  },
  documentOperation,
];

/** What audit answers, of the schemas that it reads and answers with. */
export const auditApi: ApiDescription = {
  title: 'Quittance audit',
  description: 'What became of it? Events, deliveries, attempts, refused input; and retries by hand.',
  localUrl: 'http://127.0.0.1:8082',
  tags: [
    { name: 'events', description: 'What was published.' },
    { name: 'deliveries', description: 'What was sent to subscribers.' },
    { name: 'rejections', description: 'What was refused.' },
    { name: 'about', description: 'This API.' },
  ],
  operations,
};
