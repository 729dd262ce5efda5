import { pageOf } from '@quittance/contracts';
import type { ApiOperation } from '@quittance/service';
import { replayIdParameter, replayListQuery, replayRequest } from '../replays/parameters.js';
import { replayView } from '../replays/views.js';
import { json, subscription, SUBSCRIPTION } from './paths.js';

const replay = subscription.extend({
  id: replayIdParameter.meta({ examples: ['01a20a30-1f13-7e4a-baa2-3274ae68ef42'] }),
});

export const replayOperations: ApiOperation[] = [
  {
    method: 'post',
    path: `${SUBSCRIPTION}/replays`,
    id: 'recoverSubscription',
    tag: 'replays',
    summary: 'Send what the subscription did not get in a time.',
    description:
      'Every event of that time that its present patterns and filter want, and that was neither delivered to it nor is pending or held; rendered anew. The subscription has to be active. One at a time.',
    access: 'manage',
    pathParameters: subscription,
    body: {
      required: true,
      content: {
        'application/json': { schema: replayRequest, example: { since: '2026-01-31T12:00:00Z', rate: 100 } },
      },
    },
    answers: { 202: { description: 'It has begun.', content: json(replayView) } },
    problems: ['malformed_request', 'not_replayable', 'replay_under_way', 'store_unavailable'],
  },
  {
    method: 'get',
    path: `${SUBSCRIPTION}/replays`,
    id: 'listReplays',
    tag: 'replays',
    summary: 'Replays of a subscription, newest first.',
    description:
      'Those that were asked for, and those that began by themselves. Of probes only the last is kept.',
    access: 'read',
    pathParameters: subscription,
    query: replayListQuery,
    answers: { 200: { description: 'A page of replays.', content: json(pageOf(replayView)) } },
    problems: ['invalid_cursor', 'store_unavailable'],
  },
  {
    method: 'get',
    path: `${SUBSCRIPTION}/replays/{id}`,
    id: 'getReplay',
    tag: 'replays',
    summary: 'How far a replay is.',
    access: 'read',
    pathParameters: replay,
    answers: { 200: { description: 'As it stands now.', content: json(replayView) } },
    problems: ['store_unavailable'],
  },
  {
    method: 'post',
    path: `${SUBSCRIPTION}/replays/{id}/cancel`,
    id: 'cancelReplay',
    tag: 'replays',
    summary: 'End a recovery before it is through.',
    description:
      'Nothing more is sent; what was sent is not called back. One that has ended is left as it is.',
    access: 'manage',
    pathParameters: replay,
    answers: { 200: { description: 'As it stands now.', content: json(replayView) } },
    problems: ['not_cancellable', 'store_unavailable'],
  },
];
