import { sourceVerify, type SourceVerify } from '@quittance/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { providerFacts } from '../providers/provider-facts.js';
import { signSample } from '../providers/sign-sample.js';
import { createVerifier } from './create-verifier.js';
import { chance, MUTATIONS } from './mutations.fixture.js';
import { VerificationError } from './verification-error.js';
import { SCHEMES } from './verification.fixture.js';
import type { InboundRequest, Verifier } from './verifier.js';

// The same inputs each time, unless another seed is asked for. A failure names seed and path of the counterexample.
const SEED = Number(process.env['QUITTANCE_FUZZ_SEED'] ?? 20_260_115);
const RUNS = { strangers: 3000, mutations: 6000, facts: 1500, signed: 200, hmacSources: 2000 };
const TIMEOUT_MS = 120_000;
const NOW_MS = 1_700_000_000_250;
const CODES = new Set<string>(['signature_missing', 'signature_invalid', 'timestamp_out_of_tolerance']);

let inputs = 0;

/** @returns how many inputs were judged */
function check<T>(arbitrary: fc.Arbitrary<T>, numRuns: number, judge: (value: T) => void): number {
  const before = inputs;
  const property = fc.property(arbitrary, (value) => {
    inputs += 1;
    judge(value);
  });
  fc.assert(property, { seed: SEED, numRuns });
  return inputs - before;
}

/** Throws unless the request is refused as every refusal must be. */
function assertRefused(verifier: Verifier, request: InboundRequest, nowMs: number, hidden: string[]): void {
  const error = errorOf(() => verifier.verify(request, nowMs));
  if (error === undefined) throw new Error('The request was accepted.');
  if (!(error instanceof VerificationError)) throw error;
  if (!CODES.has(error.code)) throw new Error(`No such code: ${error.code}`);
  if (hidden.some((text) => error.message.includes(text))) throw new Error(`It tells: ${error.message}`);
}

function errorOf(run: () => void): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'prototype'];

/** Pieces of what the schemes know, so that parsers are entered and not only refused at their door. */
const fragment = fc.oneof(
  fc.constantFrom('t=', 'v1=', 'v0=', 'v1,', 'v1a,', 'sha256=', 'sha1=', ',', ' ', '=', '.', ':', '\n'),
  fc.constantFrom(
    'Bearer ',
    'Basic ',
    'bearer',
    String(NOW_MS),
    String(NOW_MS).slice(0, 10),
    '-1',
    'NaN',
    '1e9',
  ),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
  fc.base64String({ minLength: 44, maxLength: 44 }),
  fc.base64String({ minLength: 88, maxLength: 88 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(...PROTOTYPE_NAMES, '\u0000', '\ud800', '０１', '\u202e', '=?utf-8?b?dD0x?='),
);
const joined = fc.array(fragment, { maxLength: 6 }).map((parts) => parts.join(''));
const headerValue = fc.oneof(
  { weight: 8, arbitrary: joined },
  { weight: 1, arbitrary: fc.array(joined, { maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fragment, fc.integer({ min: 1, max: 20_000 }))
      .map(([text, n]) => text.repeat(n % (40_000 / (text.length + 1)))),
  },
  { weight: 1, arbitrary: fc.constant(undefined) },
);
const LARGE_BODY = Buffer.alloc(64 * 1024, 'v1=');
const body = fc.oneof(
  { weight: 20, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constant(LARGE_BODY) },
);

/** Headers of these names, and others. `fromEntries` makes `__proto__` a name like any other. */
function headersOf(names: string[]): fc.Arbitrary<InboundRequest['headers']> {
  const name = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: fc.constantFrom(...PROTOTYPE_NAMES, 'x-other') },
  );
  return fc
    .array(fc.tuple(name, headerValue), { maxLength: names.length + 2 })
    .map((entries) => Object.fromEntries(entries) as InboundRequest['headers']);
}

describe(`fuzzing with the seed ${SEED}`, () => {
  it.each(SCHEMES)(
    '$title refuses strangers',
    ({ verify, secret, otherSecret, header, furtherHeaders }) => {
      const verifier = createVerifier(verify, [secret, otherSecret]);
      const request = fc.record({ headers: headersOf([header, ...furtherHeaders]), rawBody: body });
      const nowMs = fc.oneof(fc.constant(NOW_MS), fc.maxSafeInteger());
      const judged = check(fc.tuple(request, nowMs), RUNS.strangers, ([each, at]) => {
        assertRefused(verifier, each, at, [secret, otherSecret]);
      });
      expect(judged).toBe(RUNS.strangers);
    },
    TIMEOUT_MS,
  );

  it.each(SCHEMES)(
    '$title refuses what was signed and then changed',
    (scheme) => {
      const verifier = createVerifier(scheme.verify, [scheme.otherSecret, scheme.secret]);
      const applicable = MUTATIONS.filter((mutation) => mutation.appliesTo(scheme));
      const input = fc.record({
        mutation: fc.constantFrom(...applicable),
        chance,
        // Not empty, so that there is something to change.
        rawBody: fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
        deliveryId: fc.uuid(),
      });
      const judged = check(input, RUNS.mutations, ({ mutation, chance: numbers, rawBody, deliveryId }) => {
        const request = scheme.sign(rawBody, NOW_MS, deliveryId);
        const changed = mutation.apply({ scheme, request, nowMs: NOW_MS }, numbers);
        const hidden = [scheme.secret, scheme.otherSecret, String(request.headers[scheme.header])];
        assertRefused(verifier, changed.request, changed.nowMs ?? NOW_MS, hidden);
      });
      expect(judged).toBe(RUNS.mutations);
    },
    TIMEOUT_MS,
  );

  it.each(SCHEMES)(
    '$title accepts what was signed, and by no other secret',
    (scheme) => {
      const verifier = createVerifier(scheme.verify, [scheme.secret]);
      const stranger = createVerifier(scheme.verify, [scheme.otherSecret]);
      const judged = check(fc.tuple(body, fc.uuid()), RUNS.signed, ([rawBody, deliveryId]) => {
        const request = scheme.sign(rawBody, NOW_MS, deliveryId);
        verifier.verify(request, NOW_MS);
        assertRefused(stranger, request, NOW_MS, [scheme.secret, scheme.otherSecret]);
      });
      expect(judged).toBe(RUNS.signed);
    },
    TIMEOUT_MS,
  );

  it(
    'any hmac source accepts what was signed for it, and nothing that was changed',
    () => {
      const input = fc.record({ verify: hmacSource, rawBody: body, deliveryId: fc.uuid(), flip: fc.nat() });
      const judged = check(input, RUNS.hmacSources, ({ verify, rawBody, deliveryId, flip }) => {
        const secret = 'c2VjcmV0IGJ5dGVzIG9mIGEga2V5';
        const verifier = createVerifier(verify, [secret]);
        const sample = { body: rawBody, contentType: 'text/plain', nowMs: NOW_MS, deliveryId };
        const { headers } = signSample(verify, secret, sample);
        verifier.verify({ headers, rawBody }, NOW_MS);
        const changed = Buffer.concat([rawBody, Buffer.from([flip & 0xff])]);
        assertRefused(verifier, { headers, rawBody: changed }, NOW_MS, [secret]);
      });
      expect(judged).toBe(RUNS.hmacSources);
    },
    TIMEOUT_MS,
  );

  it.each(PROVIDERS)(
    'facts of any request can be told for %o',
    (verify) => {
      const input = fc.record({ headers: headersOf(FACT_HEADERS), body: parsedBody });
      const judged = check(input, RUNS.facts, ({ headers, body: parsed }) => {
        const { type, deliveryId, ...rest } = providerFacts(verify, headers, parsed);
        expect(rest).toEqual({});
        expect(type ?? 'none').toMatch(/^[A-Za-z0-9][-A-Za-z0-9_.]{0,252}$/);
        expect(deliveryId?.value ?? 'none').toMatch(/^[!-~]{1,512}$/);
      });
      expect(judged).toBe(RUNS.facts);
    },
    TIMEOUT_MS,
  );

  it('judged at least 100,000 inputs', () => {
    expect(inputs).toBeGreaterThanOrEqual(100_000);
  });
});

/** Any order of values, with texts between them that no UUID holds. */
const hmacSource: fc.Arbitrary<SourceVerify> = fc
  .record({
    values: fc.shuffledSubarray(['{timestamp}', '{id}'], { minLength: 0 }),
    bodyAt: fc.nat({ max: 2 }),
    separator: fc.constantFrom('.', ':', '', 'v0=', 'é', '$&', '__proto__'),
    header: fc.constantFrom('X-Signature', 'Authorization', 'constructor', '__proto__', '^_`|~'),
    algorithm: fc.constantFrom('sha1', 'sha256', 'sha512'),
    encoding: fc.constantFrom('hex', 'base64'),
    prefix: fc.constantFrom('', 'sha256=', 'HMAC ', '~=', '$'),
    secretEncoding: fc.constantFrom('utf8', 'base64'),
    unit: fc.constantFrom('s', 'ms'),
  })
  // An id needs something between it and its neighbours, or the source is not accepted.
  .filter(({ values, separator }) => separator !== '' || !values.includes('{id}'))
  .map(({ values, bodyAt, separator, unit, ...options }) =>
    sourceVerify.parse({
      type: 'hmac',
      ...options,
      content: values.toSpliced(bodyAt, 0, '{body}').join(separator),
      ...(values.includes('{timestamp}') && { timestamp: { header: 'X-Time', unit } }),
      id: { header: 'X-Id' },
    }),
  );

const FACT_HEADERS = [
  'x-github-event',
  'x-github-delivery',
  'x-shopify-topic',
  'x-shopify-webhook-id',
  'webhook-id',
  '__proto__',
];
const PROVIDERS = [
  { type: 'stripe' },
  { type: 'github' },
  { type: 'shopify' },
  { type: 'slack' },
  { type: 'standard-webhooks' },
  { type: 'hmac', header: 'X-Sig', id: { header: '__proto__' } },
].map((verify) => sourceVerify.parse(verify));
const parsedBody = fc.oneof(
  fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }),
  fc.jsonValue(),
  fc
    .array(
      fc.tuple(
        fc.constantFrom('type', 'id', 'event', 'event_id', ...PROTOTYPE_NAMES),
        fc.oneof(joined, fc.anything()),
      ),
      { maxLength: 5 },
    )
    .map((entries): unknown => Object.fromEntries(entries)),
);
