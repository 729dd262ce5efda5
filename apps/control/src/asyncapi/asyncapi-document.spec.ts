import { Parser } from '@asyncapi/parser';
import { compileEventSchema } from '@quittance/catalog';
import { eventTypeSpec } from '@quittance/contracts';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import {
  asyncApiDocument,
  orderedMessages,
  type AsyncApiDocument,
  type DescribedType,
} from './asyncapi-document.js';

const context = { namespace: 'shop', ingestUrl: 'http://127.0.0.1:8080' };

/** @param spec as a client writes it */
function typeOf(name: string, spec: unknown, resourceVersion = '7'): DescribedType {
  return { name, spec: eventTypeSpec.parse(spec), resourceVersion };
}

async function faultsOf(document: AsyncApiDocument): Promise<string[]> {
  const { diagnostics, document: parsed } = await new Parser().parse(JSON.stringify(document));
  const faults = diagnostics.filter(({ severity }) => severity === 0);
  const texts = faults.map(({ path, message }) => `${path.join('/')}: ${message}`);
  return parsed === undefined && texts.length === 0 ? ['it was not parsed'] : texts;
}

const line = { type: 'object', properties: { sku: { type: 'string' }, parts: { $ref: '#/$defs/lines' } } };
const order = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://example.com/order',
  type: 'object',
  required: ['total'],
  properties: {
    total: { type: 'number', exclusiveMinimum: 0, description: 'With tax.' },
    note: { type: 'string', nullable: true, maxLength: 100 },
    lines: { $ref: '#/$defs/lines', minItems: 1 },
    place: { prefixItems: [{ type: 'number' }, { type: 'number' }], items: false },
    again: { $ref: '#/properties/place/prefixItems/1' },
    when: { type: 'string', format: 'date-time' },
    until: { $ref: '#/$defs/a%20time~1~1' },
  },
  dependentRequired: { until: ['when'] },
  dependentSchemas: { note: { required: ['lines'] } },
  $defs: {
    'a time//': { $ref: '#/properties/when' },
    a_time__: false,
    lines: { type: 'array', items: { $ref: '#/$defs/line' } },
    line,
  },
};
const example = {
  total: 120.5,
  lines: [{ sku: 'a', parts: [{ sku: 'b' }] }],
  place: [1, 2],
  when: '2026-01-31T12:00:00Z',
};

describe('the AsyncAPI document', () => {
  it('is valid for a namespace without event types', async () => {
    const document = asyncApiDocument([], context);
    expect(document.info.version).toBe('0');
    expect(await faultsOf(document)).toEqual([]);
  });

  it('has a channel for each type and a message for each version', async () => {
    const document = asyncApiDocument(
      [
        typeOf('order.completed', {
          description: 'An order is paid.',
          versions: [
            {
              version: '2',
              schema: { type: 'object' },
              deprecated: { since: '2026-01-01T00:00:00Z', message: 'Use 1.' },
            },
            { version: '1', schema: order, examples: [example] },
          ],
        }),
        typeOf('order.*'.replace('*', 'Refused_2'), {}, '12'),
      ],
      context,
    );
    expect(await faultsOf(document)).toEqual([]);
    expect(document.info.version).toBe('12');
    expect(Object.keys(document.channels)).toEqual(['order.completed', 'order.Refused_2']);
    expect(document.channels['order.completed']).toMatchObject({
      address: '/v1/events',
      description: 'An order is paid.',
    });
    const [old, latest] = orderedMessages(document, 'order.completed');
    expect(old).toMatchObject({
      payload: { deprecated: true },
      tags: [{ name: 'deprecated', description: 'Use 1.' }],
      'x-deprecation': { since: '2026-01-01T00:00:00Z' },
    });
    expect(latest).toMatchObject({
      title: 'order.completed, version 1',
      examples: [{ name: 'example-1', payload: example }],
      headers: {
        properties: { 'ce-type': { const: 'order.completed' }, 'ce-schemaversion': { const: '1' } },
      },
    });
    expect(document.operations['publish-order.completed']).toMatchObject({
      action: 'receive',
      bindings: { http: { method: 'POST' } },
    });
    expect(orderedMessages(document, 'order.Refused_2')).toMatchObject([{ payload: {} }]);
  });

  it('is valid with odd names, schemas and examples', async () => {
    const odd = ['a', 'A.b-c_d', '0.1', 'a.v1', `${'x'.repeat(126)}.${'y'.repeat(126)}`];
    const types = odd.map((name) =>
      typeOf(name, {
        versions: [
          { version: '1.0-rc_1', schema: true, examples: [null, 'text', { $ref: '#/nowhere' }] },
          { version: 'v2', schema: { properties: { $ref: { type: 'string' }, 'a/b~c %': false } } },
          { version: '3', schema: { enum: [{ $ref: '#/nowhere' }, 'x'], 'x-team': 'shop' } },
        ],
      }),
    );
    const document = asyncApiDocument(types, context);
    expect(await faultsOf(document)).toEqual([]);
    expect(orderedMessages(document, 'a')[0]!.examples).toHaveLength(2);
  });

  it('describes the same data as the schema that events are checked with', async () => {
    const type = typeOf('order.completed', { versions: [{ version: '1', schema: order }] });
    const document = asyncApiDocument([type], context);
    const ajv = new Ajv({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema(document, 'document');
    const draft7 = ajv.getSchema('document#/channels/order.completed/messages/1/payload')!;
    const ours = compileEventSchema(order);
    const data: unknown[] = [
      example,
      { ...example, total: 0 },
      { ...example, place: [1, 2, 3] },
      { ...example, place: ['x'] },
      { ...example, note: null },
      { total: 1, note: 'without lines' },
      { ...example, lines: [] },
      { ...example, lines: [{ parts: [{ sku: 1 }] }] },
      { ...example, again: 'x' },
      { total: 1, until: '2026-01-31T12:00:00Z' },
      { ...example, until: 'soon' },
    ];
    const verdicts = data.map((each) => ours.validate(each).length === 0);
    expect(data.map((each) => draft7(each))).toEqual(verdicts);
    expect(verdicts).toContain(true);
    expect(verdicts.filter((verdict) => !verdict)).toHaveLength(9);
  });
});
