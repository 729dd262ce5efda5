import type { JsonSchema, ProblemCode } from '@quittance/contracts';
import type * as z from 'zod';

/** What a caller needs: a key with a scope, the admin key, or nothing that this API checks. */
export type ApiAccess = 'publish' | 'read' | 'manage' | 'admin' | 'open';

/** What a body is made of: what a schema says, or bytes of any kind. */
export type ApiSchema = z.ZodType | 'bytes';

/** What may be sent, by media type; the first one is the usual one. Examples are valid, and what readers try first. */
export type ApiBody = Record<string, { schema: ApiSchema; example: unknown }>;

export interface ApiHeader {
  description: string;
  schema: JsonSchema;
}

export interface ApiAnswer {
  description: string;
  /** By media type; left out: no body. */
  content?: Record<string, ApiSchema>;
  headers?: Record<string, ApiHeader>;
}

/** One request that an API answers. Everything that every request may be answered is added when documents are made. */
export interface ApiOperation {
  method: 'get' | 'put' | 'post' | 'delete' | 'options';
  /** As OpenAPI writes it: `/v1/things/{name}`. */
  path: string;
  /** Stable; generated clients name their methods after it. */
  id: string;
  tag: string;
  summary: string;
  description?: string;
  access: ApiAccess;
  /** Every parameter of `path`, by name. */
  pathParameters?: z.ZodObject;
  query?: z.ZodObject;
  headers?: z.ZodObject;
  body?: { content: ApiBody; required: boolean; description?: string };
  /** By status, those of success; `2XX` stands for all that are not named. */
  answers: Partial<Record<number | '2XX', ApiAnswer>>;
  /** What this request may be refused with, besides what every one may. */
  problems: readonly ProblemCode[];
}

/** One service's API. */
export interface ApiDescription {
  title: string;
  description: string;
  /** Where `npm start` serves it. */
  localUrl: string;
  tags: readonly { name: string; description: string }[];
  operations: readonly ApiOperation[];
}

/** May answer any request, before anybody looks at what it asks for. */
const EVERYWHERE: readonly ProblemCode[] = [
  'malformed_request',
  'not_found',
  'request_timeout',
  'headers_too_large',
  'internal',
];
const OF_BODIES: readonly ProblemCode[] = ['payload_too_large', 'unsupported_media_type'];
const OF_KEYS: readonly ProblemCode[] = [
  'unauthenticated',
  'key_expired',
  'key_revoked',
  'forbidden',
  'not_ready',
];

/** Never of an operation, for it says that there is none. */
export const UNKNOWN_METHOD: ProblemCode = 'method_not_allowed';

/** Every problem that an operation may be answered with. */
export function problemsOf(operation: ApiOperation): ProblemCode[] {
  // What has no use for a body refuses one all the same, if it cannot be read.
  const readsBody = operation.method !== 'get' && operation.method !== 'options';
  return [
    ...new Set([
      ...EVERYWHERE,
      ...(readsBody ? OF_BODIES : []),
      ...(operation.access === 'open' ? [] : OF_KEYS),
      ...operation.problems,
    ]),
  ];
}
