import { Problem } from '@quittance/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { damaged, expectValid, outcomeOf } from '../parsers.fixture.js';
import { contentModeOf, readEvents } from './content-mode.js';
import { readingContext } from './publisher-identity.js';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    'order.completed',
    '1.0',
    '',
    'application/json',
    'text/plain',
    'AAEC',
    '2026-01-02T03:04:05Z',
  ),
);
const name = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('id', 'source', 'type', 'specversion', 'time', 'subject', 'dataschema'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('data', 'data_base64', 'datacontenttype', 'partitionkey', 'extra'),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 70 }) },
);
const latin1 = fc
  .string({ unit: 'binary', maxLength: 30 })
  .map((value) => Buffer.from(value).toString('latin1'));
const anyEvent = fc.dictionary(name, fc.oneof({ weight: 3, arbitrary: text }, fc.jsonValue()));
const rightEvent = fc
  .tuple(fc.dictionary(fc.stringMatching(/^x[a-z0-9]{0,9}$/), fc.integer()), fc.jsonValue())
  .map(([extensions, data]) => ({
    ...extensions,
    specversion: '1.0',
    id: 'e1',
    source: '/s',
    type: 'a.b',
    data,
  }));
const event = fc.oneof(anyEvent, rightEvent);

interface Sent {
  headers: Record<string, string>;
  body: Buffer;
}
const sentAs = (contentType: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<Sent> =>
  value.map((one) => ({ headers: { 'content-type': contentType }, body: Buffer.from(JSON.stringify(one)) }));
const binary: fc.Arbitrary<Sent> = fc
  .tuple(fc.dictionary(name, fc.oneof(text, latin1)), fc.boolean(), fc.jsonValue())
  .map(([attributes, isRight, data]) => ({
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(Object.entries(attributes).map(([one, value]) => [`ce-${one}`, value])),
      ...(isRight && { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-source': '/s', 'ce-type': 'a' }),
    },
    body: Buffer.from(JSON.stringify(data)),
  }));
const nonsense: fc.Arbitrary<Sent> = fc
  .tuple(fc.string({ maxLength: 30 }), latin1, fc.uint8Array({ maxLength: 60 }))
  .map(([type, key, bytes]) => ({
    headers: { 'content-type': type, 'idempotency-key': key },
    body: Buffer.from(bytes),
  }));
const request = fc.oneof(
  sentAs('application/json', event),
  sentAs('application/cloudevents+json', event),
  sentAs('application/cloudevents-batch+json; charset=UTF-8', fc.array(event, { maxLength: 4 })),
  sentAs('application/cloudevents+json; charset=utf-16', event),
  sentAs('application/cloudevents+avro', event),
  binary,
  nonsense,
);

describe('readEvents', () => {
  it('refuses with a problem, or gives events that may be published, whatever is sent', () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        request.chain(({ headers, body }) => fc.tuple(fc.constant(headers), damaged(fc.constant(body)))),
        ([given, bytes]) => {
          const events = outcomeOf(() => {
            const mode = contentModeOf(given);
            return readEvents(mode, given, bytes, readingContext('shop', mode, given));
          });
          if (events instanceof Problem) return;
          for (const one of events) expectValid(one);
          accepted += events.length;
        },
      ),
      { numRuns: 12_000 },
    );
    // Or nothing was tried but nonsense.
    expect(accepted).toBeGreaterThan(1000);
  }, 120_000);
});
