import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBatch, readPlain, readStructured } from '../events/json-mode.js';
import type { ReadingContext, ReceivedEvent } from '../publishing/received-event.js';
import { cloudEvent, cloudEventBatch, plainEvent } from './event-schemas.js';

type Read = (body: Buffer, context: ReadingContext) => ReceivedEvent[];

/** With an id for those that have none, as `Idempotency-Key` gives them one. */
const CONTEXT: ReadingContext = { namespace: 'shop', newId: () => 'made' };
/** What the schema leaves to the reader: whether a data member suits the content type, and what texts mean. */
const BEYOND = new Set(['time', 'data', 'data_base64', 'datacontenttype', 'dataschema']);

const name = fc.constantFrom(
  'id',
  'source',
  'type',
  'subject',
  'partitionkey',
  'schemaversion',
  'myext',
  'My-ext',
  'x'.repeat(65),
);
const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom(
    '',
    'a\u0000',
    'a\u0085',
    'x'.repeat(254),
    'x'.repeat(4097),
    true,
    0,
    1.5,
    2 ** 31,
    null,
    {},
    [],
  ),
);
const event = fc.record(
  {
    specversion: fc.constantFrom('1.0', '0.3', 1, null),
    id: value,
    source: value,
    type: value,
    data: fc.jsonValue(),
  },
  { requiredKeys: ['specversion', 'id', 'source', 'type'] },
);
const any = fc.oneof(
  fc.tuple(event, fc.dictionary(name, value, { maxKeys: 3 })).map(([base, more]) => ({ ...base, ...more })),
  fc.jsonValue(),
);

function isRead(read: Read, body: unknown): boolean {
  try {
    read(Buffer.from(JSON.stringify(body)), CONTEXT);
    return true;
  } catch {
    return false;
  }
}

/** By the schema, and by the names of attributes, which only its JSON form speaks of. */
function isDescribed(schema: { safeParse(body: unknown): { success: boolean } }, body: unknown): boolean {
  if (!schema.safeParse(body).success) return false;
  return [body]
    .flat()
    .every((each) =>
      Object.keys(each as object).every((key) => BEYOND.has(key) || /^[a-z0-9]{1,64}$/.test(key)),
    );
}

describe('What documents say of events is what is read', () => {
  it.each([
    ['plain', plainEvent, readPlain, any],
    ['structured', cloudEvent, readStructured, any],
    ['batch', cloudEventBatch, readBatch, fc.array(any, { maxLength: 3 })],
  ] as const)('in %s mode', (_mode, schema, read, bodies) => {
    let accepted = 0;
    fc.assert(
      fc.property(bodies, (body) => {
        const described = isDescribed(schema, body);
        if (described) accepted++;
        expect([body, isRead(read, body)]).toEqual([body, described]);
      }),
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it('of names that are too long, also where they have no value', () => {
    const body = {
      specversion: '1.0',
      id: '1',
      source: '/shop',
      type: 'order.completed',
      ['x'.repeat(65)]: null,
    };
    expect([isRead(readStructured, body), isDescribed(cloudEvent, body)]).toEqual([false, false]);
  });
});
