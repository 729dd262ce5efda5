import { PROBLEMS, problemDocument, type JsonSchema, type ProblemCode } from '@quittance/contracts';
import type * as z from 'zod';
import manifest from '../../../../package.json' with { type: 'json' };
import {
  problemsOf,
  UNKNOWN_METHOD,
  type ApiAnswer,
  type ApiDescription,
  type ApiOperation,
  type ApiSchema,
} from './operation.js';
import { SchemaComponents } from './schema-components.js';

/** An OpenAPI 3.1 document, as JSON. */
export interface OpenApiDocument {
  openapi: '3.1.0';
  info: JsonSchema;
  servers: { url: string; description: string }[];
  tags: readonly { name: string; description: string }[];
  paths: Record<string, Record<string, JsonSchema>>;
  components: Record<string, JsonSchema>;
}

const PROBLEM_TYPE = 'application/problem+json';
const KEY = 'key';
const ACCESS: Record<ApiOperation['access'], string> = {
  publish: 'Needs the scope `publish`.',
  read: 'Needs the scope `read`.',
  manage: 'Needs the scope `manage`.',
  admin: 'Needs the admin key.',
  open: '',
};
const RETRY_AFTER = {
  'Retry-After': {
    description: 'When to try again, in seconds.',
    schema: { type: 'string', pattern: '^[0-9]{1,10}$' },
  },
};
/** Statuses that are answered with `Retry-After` where the time is known. */
const RETRYABLE = new Set([429, 503]);

/** Makes a service's document of the schemas that it reads requests with and writes answers by. */
export function openApiDocument(api: ApiDescription): OpenApiDocument {
  const components = new SchemaComponents();
  const responses: Record<string, JsonSchema> = {};
  const paths: OpenApiDocument['paths'] = {};
  const codes = new Set<ProblemCode>([UNKNOWN_METHOD]);
  addProblem(responses, components, 405, [UNKNOWN_METHOD]);
  for (const operation of api.operations) {
    for (const code of problemsOf(operation)) codes.add(code);
    paths[operation.path] ??= {};
    paths[operation.path]![operation.method] = describe(operation, components, responses);
  }
  const { document, schemas } = components.resolve({ paths, responses });
  return {
    openapi: '3.1.0',
    info: {
      title: api.title,
      version: manifest.version,
      description: `${api.description}\n\n${problemTable([...codes])}`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      { url: '/', description: 'The service that serves this document at `/openapi.json`.' },
      { url: api.localUrl, description: 'The local stack, as `npm start` runs it.' },
    ],
    tags: api.tags,
    paths: document.paths,
    components: {
      schemas,
      responses: document.responses,
      securitySchemes: {
        [KEY]: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An API key of the namespace (`qk_…`) with the scope that the request needs, or the admin key.',
        },
      },
    },
  };
}

function describe(
  operation: ApiOperation,
  components: SchemaComponents,
  responses: Record<string, JsonSchema>,
): JsonSchema {
  const answers: Record<string, JsonSchema> = {};
  for (const [status, answer] of Object.entries(operation.answers)) {
    if (answer) answers[status] = answerOf(answer, components);
  }
  for (const [status, codes] of byStatus(problemsOf(operation))) {
    answers[status] = { $ref: `#/components/responses/${addProblem(responses, components, status, codes)}` };
  }
  const parameters = [
    ...parametersOf('path', operation.pathParameters, components),
    ...parametersOf('query', operation.query, components),
    ...parametersOf('header', operation.headers, components),
  ];
  const description = [operation.description, ACCESS[operation.access]].filter(Boolean).join('\n\n');
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(description !== '' && { description }),
    security: operation.access === 'open' ? [] : [{ [KEY]: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(operation.body && {
      requestBody: {
        ...(operation.body.description !== undefined && { description: operation.body.description }),
        required: operation.body.required,
        content: mapValues(operation.body.content, ({ schema, example }) => ({
          ...schemaOf(schema, 'input', components),
          example,
        })),
      },
    }),
    responses: answers,
  };
}

function answerOf({ description, content, headers }: ApiAnswer, components: SchemaComponents): JsonSchema {
  return {
    description,
    ...(headers && { headers }),
    ...(content && { content: mapValues(content, (schema) => schemaOf(schema, 'output', components)) }),
  };
}

/** OpenAPI 3.1: bytes of any kind have no schema. */
function schemaOf(
  schema: ApiSchema,
  direction: 'input' | 'output',
  components: SchemaComponents,
): JsonSchema {
  return schema === 'bytes' ? {} : { schema: components.convert(schema, direction) };
}

function parametersOf(
  place: 'path' | 'query' | 'header',
  schema: z.ZodObject | undefined,
  components: SchemaComponents,
): JsonSchema[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = components.convert(schema, 'input') as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...type }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema: type,
  }));
}

/** @returns the name of the response among the components */
function addProblem(
  responses: Record<string, JsonSchema>,
  components: SchemaComponents,
  status: number,
  codes: readonly ProblemCode[],
): string {
  const name = [status, ...codes].join('.');
  responses[name] ??= {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}.`).join('\n\n'),
    ...(RETRYABLE.has(status) && { headers: RETRY_AFTER }),
    ...(status === 405 && {
      headers: {
        Allow: { description: 'The methods that the address answers to.', schema: { type: 'string' } },
      },
    }),
    content: {
      [PROBLEM_TYPE]: {
        schema: {
          allOf: [
            components.convert(problemDocument, 'output'),
            { properties: { status: { const: status }, code: { enum: codes } } },
          ],
        },
      },
    },
  };
  return name;
}

function byStatus(codes: readonly ProblemCode[]): Map<number, ProblemCode[]> {
  const groups = new Map<number, ProblemCode[]>();
  const known = Object.keys(PROBLEMS) as ProblemCode[];
  for (const code of known.filter((each) => codes.includes(each))) {
    const status = PROBLEMS[code][0];
    groups.set(status, [...(groups.get(status) ?? []), code]);
  }
  return groups;
}

function problemTable(codes: readonly ProblemCode[]): string {
  const rows = [...byStatus(codes)].flatMap(([status, group]) =>
    group.map((code) => `| ${status} | \`${code}\` | ${PROBLEMS[code][1]} |`),
  );
  return [
    'Errors are problem documents (RFC 9457) with a stable `code`. A method that an address does not have is answered',
    'with 405 and `Allow`.',
    '',
    '| status | code | meaning |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function mapValues<T>(record: Record<string, T>, map: (value: T) => JsonSchema): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
