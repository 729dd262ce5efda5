import type { ApiOperation } from '@quittance/service';
import { retrySchedule, scheduleQuery } from '../subscriptions/view/schedule.js';
import { json, oneSubscription, SUBSCRIPTION_PATH } from './resource-operations.js';

/** What is told of subscriptions beside what they are. */
export const scheduleOperations: ApiOperation[] = [
  {
    method: 'get',
    path: `${SUBSCRIPTION_PATH}/schedule`,
    id: 'getSubscriptionSchedule',
    tag: 'subscriptions',
    summary: 'When each attempt would be made if all failed.',
    description: 'Of the subscription as it is in force. Works without the database.',
    access: 'read',
    pathParameters: oneSubscription,
    query: scheduleQuery,
    answers: { 200: { description: 'The attempts, in order.', content: json(retrySchedule) } },
    problems: [],
  },
];
