import type { ApiOperation } from '@quittance/service';
import { kindNamed } from '../resources/kinds.js';
import { relocation, resumption } from '../subscriptions/action-bodies.js';
import { json, oneSubscription, SUBSCRIPTION_PATH } from './resource-operations.js';
import { resourceView } from './resource-views.js';

const about = {
  method: 'post',
  tag: 'subscriptions',
  access: 'manage',
  pathParameters: oneSubscription,
} as const;
const view = json(resourceView(kindNamed('Subscription')));

/** What operators do with subscriptions besides putting them. */
export const actionOperations: ApiOperation[] = [
  {
    ...about,
    path: `${SUBSCRIPTION_PATH}/pause`,
    id: 'pauseSubscription',
    summary: 'Send nothing any more.',
    description:
      'Sets `spec.paused`. What comes meanwhile is sent after a resumption. Pausing what is paused changes nothing.',
    answers: { 200: { description: 'The subscription, paused.', content: view } },
    problems: ['store_unavailable'],
  },
  {
    ...about,
    path: `${SUBSCRIPTION_PATH}/resume`,
    id: 'resumeSubscription',
    summary: 'Send again, whatever had stopped it.',
    description:
      'Clears `spec.paused`, and ends a suspension, a disabling and the breaker’s pause: `status.activation` rises. What was held is sent by itself; what came while it was disabled is not, until it is replayed.',
    body: { required: false, content: { 'application/json': { schema: resumption, example: {} } } },
    answers: { 200: { description: 'The subscription, resumed.', content: view } },
    problems: ['store_unavailable'],
  },
  {
    ...about,
    path: `${SUBSCRIPTION_PATH}/move`,
    id: 'moveSubscription',
    summary: 'Give it another home partition.',
    description:
      'What is published from now on goes to the new home; what stands in the one before is dealt with in the background. `status.move` is there until that is done.',
    body: { required: false, content: { 'application/json': { schema: relocation, example: {} } } },
    answers: { 200: { description: 'The subscription, moving.', content: view } },
    problems: [
      'not_movable',
      'invalid_resource',
      'partition_shared',
      'kafka_unavailable',
      'store_unavailable',
    ],
  },
];
