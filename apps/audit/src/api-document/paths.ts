import * as z from 'zod';
import { namespaceParameter, subscriptionParameter } from '../queries/parameters.js';

export const NAMESPACE = '/audit/v1/namespaces/{namespace}';
export const SUBSCRIPTION = `${NAMESPACE}/subscriptions/{subscription}`;

export const namespace = z.object({ namespace: namespaceParameter.meta({ examples: ['shop'] }) });
export const subscription = namespace.extend({
  subscription: subscriptionParameter.meta({ examples: ['billing'] }),
});

export function json(schema: z.ZodType): { 'application/json': z.ZodType } {
  return { 'application/json': schema };
}
