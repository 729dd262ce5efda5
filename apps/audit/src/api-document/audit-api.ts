import { pageOf } from '@quittance/contracts';
import { documentOperation, type ApiDescription, type ApiOperation } from '@quittance/service';
import {
  deliveryIdParameter,
  deliveryListQuery,
  eventIdParameter,
  eventListQuery,
  rejectionIdParameter,
  rejectionListQuery,
  storyQuery,
  summaryQuery,
} from '../queries/parameters.js';
import { json, namespace, NAMESPACE, subscription, SUBSCRIPTION } from './paths.js';
import {
  acceptedRetry,
  deliveriesSummary,
  deliverySummary,
  eventStory,
  eventSummary,
} from '../queries/views.js';
import { replayOperations } from './replay-operations.js';
import { rejectionSummary, rejectionView } from '../rejections/views.js';

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
    path: `${SUBSCRIPTION}/deliveries-summary`,
    id: 'summarizeDeliveries',
    tag: 'deliveries',
    summary: 'How many deliveries of a subscription are pending, held and dead.',
    description: 'Counted up to 10,000 each. A subscription that is not known has none.',
    access: 'read',
    pathParameters: subscription,
    query: summaryQuery,
    answers: { 200: { description: 'What there is now.', content: json(deliveriesSummary) } },
    problems: ['store_unavailable'],
  },
  ...replayOperations,
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
  description:
    'What became of it? Events, deliveries, attempts, refused input; retries by hand, and replays.',
  localUrl: 'http://127.0.0.1:8082',
  tags: [
    { name: 'events', description: 'What was published.' },
    { name: 'deliveries', description: 'What was sent to subscribers.' },
    { name: 'replays', description: 'What is sent to a subscription again.' },
    { name: 'rejections', description: 'What was refused.' },
    { name: 'about', description: 'This API.' },
  ],
  operations,
};
