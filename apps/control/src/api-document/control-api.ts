import { resourceName } from '@quittance/contracts';
import { documentOperation, type ApiDescription, type ApiOperation } from '@quittance/service';
import * as z from 'zod';
import { KINDS } from '../resources/kinds.js';
import { catalogueOperations } from './catalogue-operations.js';
import { EXAMPLES } from './examples.js';
import { keyOperations } from './key-operations.js';
import { namespaceOperations, NAMESPACE_TAG } from './namespace-operations.js';
import { json, namespaceParameter, NAMESPACES, resourceOperations, WORDS } from './resource-operations.js';
import { trialOperations } from './trial-operations.js';

const subscription = z.object({
  namespace: namespaceParameter,
  name: resourceName.meta({ examples: [EXAMPLES.Subscription.name] }),
});

const namespaced = KINDS.flatMap((kind) =>
  kind.segment === undefined ? [] : [{ kind, segment: kind.segment }],
);

const operations: ApiOperation[] = [
  ...namespaceOperations,
  ...namespaced.flatMap(({ kind, segment }) => resourceOperations(kind, segment)),
  {
    method: 'get',
    path: `${NAMESPACES}/{namespace}/subscriptions/{name}/secret`,
    id: 'getSubscriptionSecret',
    tag: 'subscriptions',
    summary: 'The secret that the subscriber verifies with.',
    description: 'That it was read is recorded.',
    access: 'manage',
    pathParameters: subscription,
    answers: {
      200: {
        description: 'The signing secret, for any library of Standard Webhooks.',
        content: json(z.object({ secret: z.string().regex(/^whsec_/) })),
      },
    },
    problems: ['store_unavailable'],
  },
  ...catalogueOperations,
  ...keyOperations,
  ...trialOperations,
  documentOperation,
];

/** What control answers, of the schemas that it reads and answers with. */
export const controlApi: ApiDescription = {
  title: 'Quittance control',
  description: 'The configuration: event types, subscriptions, sources, API keys and namespaces.',
  localUrl: 'http://127.0.0.1:8081',
  tags: [
    { name: NAMESPACE_TAG, description: 'The frames of teams: limits, policy, retention, egress.' },
    ...namespaced.map(({ kind, segment }) => ({
      name: segment,
      description: `${capital(WORDS[kind.kind].many)} of a namespace.`,
    })),
    { name: 'about', description: 'This API.' },
  ],
  operations,
};

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
