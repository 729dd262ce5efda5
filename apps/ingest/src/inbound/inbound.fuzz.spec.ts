import { Problem, type SourceSpec } from '@quittance/contracts';
import * as fc from 'fast-check';
import { isUtf8 } from 'node:buffer';
import { beforeAll, describe, expect, it } from 'vitest';
import { catalogueOf, ListedConfig } from '../ingest.fixture.js';
import { damaged, expectValid, outcomeOf } from '../parsers.fixture.js';
import { sourceOf } from '../resources.fixture.js';
import { readForm } from './form-body.js';
import { readBody } from './inbound-body.js';
import { toEvent } from './inbound-event.js';
import { SENDERS } from './senders.fixture.js';
import { slackChallenge } from './slack-challenge.js';

const EXPRESSIONS = {
  type: { expression: '"a." + body.type + headers["x-github-event"]' },
  id: { expression: 'query.id + body.id' },
};
const BODIES: SourceSpec['body'][] = ['auto', 'json', 'form', 'raw'];
const kinds = SENDERS.flatMap(({ name, verify }) =>
  BODIES.map((body) => ({ name: `${name}-${body}`, verify, body })),
);
const sources = new ListedConfig([
  ...kinds.map(({ name, ...spec }) => sourceOf(name, spec)),
  ...kinds.map(({ name, ...spec }) => sourceOf(`${name}-told`, { ...spec, ...EXPRESSIONS })),
]);
const names = kinds.flatMap(({ name }) => [name, `${name}-told`]);

let catalogue: Awaited<ReturnType<typeof catalogueOf>>;
beforeAll(async () => {
  catalogue = await catalogueOf(sources);
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('a', 'order.paid', '', 'x'.repeat(600)),
);
const member = fc.constantFrom(
  'type',
  'id',
  'event',
  'event_id',
  'challenge',
  'payload',
  '__proto__',
  'constructor',
  'x',
);
const json = fc
  .dictionary(member, fc.oneof({ weight: 3, arbitrary: text }, fc.jsonValue()))
  .map((value) => JSON.stringify(value));
const formText = fc
  .array(fc.tuple(member, fc.oneof(text.map(encodeLoosely), json.map(encodeURIComponent))), { maxLength: 6 })
  .map((fields) => fields.map(([key, value]) => `${key}=${value}`).join('&'));
const body = damaged(
  fc.oneof(
    fc.oneof(json, formText).map((value) => Buffer.from(value)),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  ),
);
const contentType = fc.oneof(
  fc.constantFrom(
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain',
    'image/png',
    undefined,
  ),
  fc.string({ maxLength: 30 }),
);
const latin1 = text.map((value) => Buffer.from(value).toString('latin1'));
const header = fc.constantFrom(
  'x-github-event',
  'x-github-delivery',
  'x-shopify-topic',
  'x-shopify-webhook-id',
  'webhook-id',
  'x-id',
);
const headers = fc
  .tuple(contentType, fc.dictionary(header, latin1))
  .map(([type, others]) => ({ ...others, ...(type !== undefined && { 'content-type': type }) }));
const query = fc.dictionary(fc.constantFrom('id', 'x'), fc.oneof(text, fc.array(text)), {
  noNullPrototype: true,
});

function encodeLoosely(value: string): string {
  return value.replaceAll(' ', '+').replaceAll('&', '%26');
}

describe('a request to a source', () => {
  it('is refused with a problem, or becomes an event that may be published, whatever is sent', () => {
    let accepted = 0;
    const pathType = fc.option(fc.constant('order.paid'), { nil: undefined });
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        headers,
        body,
        query,
        pathType,
        (name, given, rawBody, asked, named) => {
          const source = catalogue.source('shop', name)!;
          const event = outcomeOf(() => {
            const read = readBody(source.resource.spec, given, rawBody);
            slackChallenge(source.resource.spec.verify, read.value);
            return toEvent({ source, headers: given, query: asked, pathType: named, rawBody, body: read });
          });
          if (event instanceof Problem) return;
          expectValid(event);
          expect(event.attributes.source).toBe(`/namespaces/shop/sources/${name}`);
          accepted++;
        },
      ),
      { numRuns: 12_000 },
    );
    // Or nothing was tried but nonsense.
    expect(accepted).toBeGreaterThan(1000);
  }, 120_000);
});

describe('readForm', () => {
  it('reads what URLSearchParams reads, and refuses what is no UTF-8', () => {
    fc.assert(
      fc.property(damaged(formText.map((value) => Buffer.from(value))), (bytes) => {
        const fields = outcomeOf(() => readForm(bytes));
        if (fields instanceof Problem || !isUtf8(bytes)) return;
        const expected = new Map<string, string[]>();
        // URLSearchParams drops a "?" at the beginning. Beside an escape that is none, Node 24 cuts each other character
        // to its lowest byte (`a=𐀀%t%7B`), unless it is escaped.
        const ascii = bytes.toString().replace(/[^\0-\x7f]+/gu, encodeURIComponent);
        for (const [key, value] of new URLSearchParams(`&${ascii}`)) {
          expected.set(key, [...(expected.get(key) ?? []), value]);
        }
        const found = Object.entries(fields).map(([key, value]) => [key, [value].flat()]);
        expect(new Map(found as [string, string[]][])).toEqual(expected);
      }),
      { numRuns: 10_000, examples: [[Buffer.from('event_id=𐀀%type=%7B%7D')]] },
    );
  }, 120_000);
});
