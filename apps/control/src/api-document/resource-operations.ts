import { pageOf, resourceName, type ProblemCode, type ResourceKind } from '@quittance/contracts';
import type { ApiAnswer, ApiOperation } from '@quittance/service';
import * as z from 'zod';
import type { Kind } from '../resources/kinds.js';
import { resourceEnvelope } from '../resources/resource-envelope.js';
import { resourceListQuery } from '../resources/resource-query.js';
import { EXAMPLES } from './examples.js';
import { resourceView, singleView, withKey } from './resource-views.js';

export const NAMESPACES = '/control/v1/namespaces';

export const namespaceParameter = resourceName.meta({ examples: ['shop'] });

export const SUBSCRIPTION_PATH = `${NAMESPACES}/{namespace}/subscriptions/{name}`;
/** The parameters of {@link SUBSCRIPTION_PATH}. */
export const oneSubscription = z.object({
  namespace: namespaceParameter,
  name: resourceName.meta({ examples: [EXAMPLES.Subscription.name] }),
});

/** How a kind is spoken of. */
interface Words {
  one: string;
  many: string;
  /** What only a PUT of this kind may be refused with. */
  refusals?: readonly ProblemCode[];
}

export const WORDS: Record<ResourceKind, Words> = {
  EventType: { one: 'an event type', many: 'event types', refusals: ['incompatible_schema'] },
  Subscription: {
    one: 'a subscription',
    many: 'subscriptions',
    refusals: ['partition_shared', 'kafka_unavailable'],
  },
  ApiKey: { one: 'an API key', many: 'API keys' },
  Source: { one: 'a source', many: 'sources' },
  Namespace: { one: 'a namespace', many: 'namespaces' },
};

export function json(schema: z.ZodType): { 'application/json': z.ZodType } {
  return { 'application/json': schema };
}

/** What every kind that lives in a namespace answers to. */
export function resourceOperations(kind: Kind, segment: string): ApiOperation[] {
  const list = `${NAMESPACES}/{namespace}/${segment}`;
  const namespace = z.object({ namespace: namespaceParameter });
  const { many } = WORDS[kind.kind];
  return [
    {
      method: 'get',
      path: list,
      id: `list${kind.kind}s`,
      tag: segment,
      summary: `All ${many} of the namespace, by name.`,
      access: 'read',
      pathParameters: namespace,
      query: resourceListQuery,
      answers: { 200: { description: `A page of ${many}.`, content: json(pageOf(resourceView(kind))) } },
      problems: ['invalid_cursor', 'store_unavailable'],
    },
    ...oneResource(kind, {
      tag: segment,
      path: `${list}/{name}`,
      parameters: namespace.extend({ name: kind.name.meta({ examples: [EXAMPLES[kind.kind].name] }) }),
      write: 'manage',
    }),
  ];
}

/** GET, PUT and DELETE of one resource. */
export function oneResource(
  kind: Kind,
  at: {
    tag: string;
    path: string;
    parameters: z.ZodObject;
    write: 'manage' | 'admin';
    onDelete?: readonly ProblemCode[];
  },
): ApiOperation[] {
  const { one, refusals = [] } = WORDS[kind.kind];
  const { tag, path, parameters, write } = at;
  const view = resourceView(kind);
  const created = kind.kind === 'ApiKey' ? withKey(kind) : view;
  const answer = (description: string, schema: z.ZodType): ApiAnswer => ({
    description,
    content: json(schema),
  });
  return [
    {
      method: 'get',
      path,
      id: `get${kind.kind}`,
      tag,
      summary: `Read ${one}.`,
      access: 'read',
      pathParameters: parameters,
      answers: { 200: answer('The resource.', singleView(kind)) },
      problems: ['store_unavailable'],
    },
    {
      method: 'put',
      path,
      id: `put${kind.kind}`,
      tag,
      summary: `Create or replace ${one}.`,
      description:
        'In force everywhere once it is answered, unless `status.conditions` says `Published: False`: then it is stored, and will be.',
      access: write,
      pathParameters: parameters,
      body: {
        required: true,
        content: {
          'application/json': { schema: resourceEnvelope(kind), example: EXAMPLES[kind.kind].body },
        },
      },
      answers: { 200: answer('It was replaced.', view), 201: answer('It was created.', created) },
      problems: ['conflict', 'invalid_resource', 'store_unavailable', ...refusals],
    },
    {
      method: 'delete',
      path,
      id: `delete${kind.kind}`,
      tag,
      summary: `Delete ${one}.`,
      access: write,
      pathParameters: parameters,
      answers: { 200: answer('The resource as it was.', view) },
      problems: ['store_unavailable', ...(at.onDelete ?? [])],
    },
  ];
}
