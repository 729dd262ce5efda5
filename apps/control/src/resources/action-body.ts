import { Problem } from '@quittance/contracts';
import type * as z from 'zod';
import { pointer } from './resource-body.js';

/**
 * Reads what a POST was sent; no body counts as an empty object.
 * @throws Problem `malformed_request` with all that is wrong in `errors: [{path, message}]`
 */
export function parseActionBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body === undefined ? {} : body);
  if (result.success) return result.data;
  const errors = result.error.issues.map(({ path, message }) => ({ path: pointer(path), message }));
  const first = errors[0]!;
  throw new Problem('malformed_request', `${first.path || 'The body'}: ${first.message}`, { errors });
}
