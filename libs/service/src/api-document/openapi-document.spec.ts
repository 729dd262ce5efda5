import { pageLimit, PROBLEMS } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { openApiDocument } from './openapi-document.js';
import type { ApiDescription, ApiOperation } from './operation.js';

const color = z.enum(['red', 'green']).meta({ id: 'Color' });
const thing = z.strictObject({ name: z.string(), size: z.int().default(1) }).meta({ id: 'Thing' });

const put: ApiOperation = {
  method: 'put',
  path: '/things/{name}',
  id: 'putThing',
  tag: 'things',
  summary: 'Put a thing.',
  access: 'manage',
  pathParameters: z.object({ name: z.string().regex(/^[a-z]+$/) }),
  body: {
    required: true,
    content: {
      'application/json': { schema: z.object({ thing, color }), example: { thing: { name: 'a' } } },
    },
  },
  answers: { 200: { description: 'Done.', content: { 'application/json': z.object({ thing, color }) } } },
  problems: ['conflict', 'rate_limited', 'kafka_unavailable'],
};
const list: ApiOperation = {
  method: 'get',
  path: '/things',
  id: 'listThings',
  tag: 'things',
  summary: 'All things.',
  access: 'open',
  query: z.object({ limit: pageLimit(200, 50), color: color.optional().describe('Of this color only.') }),
  answers: { 200: { description: 'Things.', content: { 'text/plain': z.string() } } },
  problems: [],
};

function api(...operations: ApiOperation[]): ApiDescription {
  return { title: 'Things', description: 'Things.', localUrl: 'http://127.0.0.1:1', tags: [], operations };
}

describe('An OpenAPI document', () => {
  const document = openApiDocument(api(put, list));

  it('tells what is sent from what is answered only where they differ', () => {
    const { schemas } = document.components;
    expect(Object.keys(schemas ?? {})).toEqual(['Color', 'Problem', 'Thing', 'ThingInput']);
    expect(schemas).toMatchObject({
      Thing: { required: ['name', 'size'] },
      ThingInput: { required: ['name'], properties: { size: { default: 1 } } },
    });
    expect(document.paths['/things/{name}']?.['put']).toMatchObject({
      requestBody: {
        content: {
          'application/json': {
            schema: { properties: { thing: { $ref: '#/components/schemas/ThingInput' } } },
            example: { thing: { name: 'a' } },
          },
        },
      },
      responses: {
        200: {
          content: {
            'application/json': { schema: { properties: { thing: { $ref: '#/components/schemas/Thing' } } } },
          },
        },
      },
    });
  });

  it('counts on what lies below: a schema differs where one that it holds does', () => {
    const box = z.strictObject({ thing }).meta({ id: 'Box' });
    const content = { 'application/json': box };
    const boxed = openApiDocument(
      api({
        ...put,
        body: { required: true, content: { 'application/json': { schema: box, example: {} } } },
        answers: { 200: { description: 'Done.', content } },
      }),
    );
    expect(Object.keys(boxed.components['schemas'] ?? {})).toEqual([
      'Box',
      'BoxInput',
      'Problem',
      'Thing',
      'ThingInput',
    ]);
  });

  it('lists every status with the codes that come with it, also those that any request may meet', () => {
    const responses = document.paths['/things/{name}']?.['put']?.['responses'];
    const codes = Object.entries(responses as Record<string, { $ref?: string }>).flatMap(
      ([status, { $ref }]) => {
        const [shown, ...names] = ($ref ?? `/${status}`).split('/').at(-1)!.split('.');
        expect(shown).toBe(status);
        return names;
      },
    );
    expect(codes.sort()).toEqual(
      [
        // Any request.
        'malformed_request',
        'not_found',
        'request_timeout',
        'headers_too_large',
        'internal',
        // With a body.
        'payload_too_large',
        'unsupported_media_type',
        // With a key.
        'unauthenticated',
        'key_expired',
        'key_revoked',
        'forbidden',
        'not_ready',
        // This one.
        'conflict',
        'rate_limited',
        'kafka_unavailable',
      ].sort(),
    );
    expect(document.components['responses']).toMatchObject({
      '429.rate_limited': {
        description: `\`rate_limited\`: ${PROBLEMS.rate_limited[1]}.`,
        headers: { 'Retry-After': {} },
        content: {
          'application/problem+json': {
            schema: { allOf: [{}, { properties: { code: { enum: ['rate_limited'] } } }] },
          },
        },
      },
      '405.method_not_allowed': { headers: { Allow: {} } },
    });
  });

  it('asks for a key where one is needed, and says for what', () => {
    expect(document.paths['/things/{name}']?.['put']).toMatchObject({
      security: [{ key: [] }],
      description: 'Needs the scope `manage`.',
    });
    expect(document.paths['/things']?.['get']).toMatchObject({ security: [] });
  });

  it('shows parameters as clients think of them', () => {
    expect(document.paths['/things']?.['get']?.['parameters']).toEqual([
      {
        name: 'limit',
        in: 'query',
        required: false,
        description: 'How many items the page has at most.',
        schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
      },
      {
        name: 'color',
        in: 'query',
        required: false,
        description: 'Of this color only.',
        schema: { $ref: '#/components/schemas/Color' },
      },
    ]);
    expect(document.paths['/things/{name}']?.['put']?.['parameters']).toEqual([
      { name: 'name', in: 'path', required: true, schema: { type: 'string', pattern: '^[a-z]+$' } },
    ]);
  });
});
