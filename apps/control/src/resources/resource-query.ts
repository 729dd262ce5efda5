import { pageCursor, pageLimit, Problem } from '@quittance/contracts';
import * as z from 'zod';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;

export const resourceListQuery = z.strictObject({
  limit: pageLimit(MAX_LIMIT, DEFAULT_LIMIT),
  cursor: pageCursor.optional(),
  labelSelector: z
    .string()
    .max(4096)
    .meta({ format: 'label-selector' })
    .optional()
    .describe('As in Kubernetes: `a=b,c!=d,e in (x,y),f notin (z),g,!h`. All requirements have to hold.'),
});

/** @throws Problem `malformed_request`, naming every parameter that is wrong */
export function parseQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const errors = result.error.issues.map(({ path, message }) => ({
    path: path.map(String).join('.'),
    message,
  }));
  const first = errors[0]!;
  const where = first.path === '' ? '' : `"${first.path}": `;
  throw new Problem('malformed_request', `The query is not understood: ${where}${first.message}`, { errors });
}
