import { apiKeyRotation, resourceName } from '@quittance/contracts';
import type { ApiOperation } from '@quittance/service';
import * as z from 'zod';
import { kindNamed } from '../resources/kinds.js';
import { EXAMPLES } from './examples.js';
import { json, namespaceParameter, NAMESPACES } from './resource-operations.js';
import { resourceView, withKey } from './resource-views.js';

const key = z.object({
  namespace: namespaceParameter,
  name: resourceName.meta({ examples: [EXAMPLES.ApiKey.name] }),
});
const path = `${NAMESPACES}/{namespace}/api-keys/{name}`;
const kind = kindNamed('ApiKey');

/** What is done with API keys besides putting them. */
export const keyOperations: ApiOperation[] = [
  {
    method: 'post',
    path: `${path}/rotate`,
    id: 'rotateApiKey',
    tag: 'api-keys',
    summary: 'Replace a key by a new one.',
    description: 'The key before keeps working for `overlap`; at most five are kept.',
    access: 'manage',
    pathParameters: key,
    body: {
      required: false,
      content: { 'application/json': { schema: apiKeyRotation, example: { overlap: '24h' } } },
    },
    answers: { 200: { description: 'The key, with its new credential.', content: json(withKey(kind)) } },
    problems: ['conflict', 'store_unavailable'],
  },
  {
    method: 'post',
    path: `${path}/revoke`,
    id: 'revokeApiKey',
    tag: 'api-keys',
    summary: 'Revoke a key at once and for good.',
    description: 'Works without the database: the revocation goes straight to Kafka.',
    access: 'manage',
    pathParameters: key,
    answers: {
      200: { description: 'The key; it is refused from now on.', content: json(resourceView(kind)) },
    },
    problems: ['kafka_unavailable', 'store_unavailable'],
  },
];
