import { secretRotation } from '@quittance/contracts';
import type { ApiOperation } from '@quittance/service';
import { publicKeysAnswer, rotationAnswer, secretAnswer } from '../subscriptions/secret-bodies.js';
import { json, oneSubscription, SUBSCRIPTION_PATH } from './resource-operations.js';

const about = { tag: 'subscriptions', pathParameters: oneSubscription };

/** What subscribers verify with. */
export const secretOperations: ApiOperation[] = [
  {
    ...about,
    method: 'get',
    path: `${SUBSCRIPTION_PATH}/secret`,
    id: 'getSubscriptionSecret',
    summary: 'The secret that the subscriber verifies with.',
    description: 'That it was read is recorded.',
    access: 'manage',
    answers: {
      200: {
        description: 'The newest signing secret, for any library of Standard Webhooks.',
        content: json(secretAnswer),
      },
    },
    problems: ['store_unavailable'],
  },
  {
    ...about,
    method: 'post',
    path: `${SUBSCRIPTION_PATH}/secret/rotate`,
    id: 'rotateSubscriptionSecret',
    summary: 'Replace the signing secret by a new one.',
    description:
      'The secret before signs beside it for `overlap`; at most five are kept. The asymmetric key, where there is one, is rotated too.',
    access: 'manage',
    body: {
      required: false,
      content: { 'application/json': { schema: secretRotation, example: { overlap: '24h' } } },
    },
    answers: { 200: { description: 'The new secret.', content: json(rotationAnswer) } },
    problems: ['store_unavailable'],
  },
  {
    ...about,
    method: 'get',
    path: `${SUBSCRIPTION_PATH}/public-keys`,
    id: 'getSubscriptionPublicKeys',
    summary: 'The public keys that the subscriber verifies `v1a` signatures with.',
    description: 'A subscription has some while `spec.signing.asymmetric` is set.',
    access: 'read',
    answers: { 200: { description: 'Those that sign now.', content: json(publicKeysAnswer) } },
    problems: ['store_unavailable'],
  },
];
