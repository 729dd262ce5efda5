import { resourceName } from '@quittance/contracts';
import type { ApiOperation } from '@quittance/service';
import * as z from 'zod';
import {
  simulation,
  simulationResult,
  subscriptionTest,
  subscriptionTestResult,
} from '../trials/trial-bodies.js';
import { EXAMPLES } from './examples.js';
import { json, namespaceParameter, NAMESPACES } from './resource-operations.js';

function named(name: string): z.ZodObject {
  return z.object({ namespace: namespaceParameter, name: resourceName.meta({ examples: [name] }) });
}

/** A way to try sources and subscriptions, on the real path. */
export const trialOperations: ApiOperation[] = [
  {
    method: 'post',
    path: `${NAMESPACES}/{namespace}/sources/{name}/simulate`,
    id: 'simulateSource',
    tag: 'sources',
    summary: 'Send a correctly signed sample through ingest, as the third party would.',
    access: 'manage',
    pathParameters: named(EXAMPLES.Source.name),
    body: { required: false, content: { 'application/json': { schema: simulation, example: {} } } },
    answers: {
      200: {
        description: 'What was sent and what ingest answered, also where that is a refusal.',
        content: json(simulationResult),
      },
    },
    problems: ['no_sample', 'service_unavailable', 'store_unavailable'],
  },
  {
    method: 'post',
    path: `${NAMESPACES}/{namespace}/subscriptions/{name}/test`,
    id: 'testSubscription',
    tag: 'subscriptions',
    summary: 'Send a sample event to one subscription.',
    access: 'manage',
    pathParameters: named(EXAMPLES.Subscription.name),
    body: {
      required: false,
      content: {
        'application/json': {
          schema: subscriptionTest,
          example: { eventType: EXAMPLES.EventType.name, wait: '1s' },
        },
      },
    },
    answers: {
      200: {
        description: 'An attempt was made, or none will be.',
        content: json(subscriptionTestResult),
      },
      202: { description: 'What became of it is not known yet.', content: json(subscriptionTestResult) },
    },
    problems: [
      'no_sample',
      'unknown_event_type',
      'unknown_schema_version',
      'schema_mismatch',
      'kafka_unavailable',
      'service_unavailable',
      'store_unavailable',
    ],
  },
];
