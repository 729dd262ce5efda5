import * as fc from 'fast-check';
import type { Scheme } from './verification.fixture.js';
import type { InboundRequest } from './verifier.js';

/** What is done to a correctly signed request. Each leaves no valid proof, whatever the numbers are. */
export interface Mutation {
  name: string;
  appliesTo(scheme: Scheme): boolean;
  apply(signed: SignedRequest, chance: Chance): { request: InboundRequest; nowMs?: number };
}

/** A correctly signed request, and when and for whom it was signed. */
export interface SignedRequest {
  scheme: Scheme;
  request: InboundRequest;
  nowMs: number;
}

/** Numbers that a mutation uses as it likes, and a text to put somewhere. */
export interface Chance {
  a: number;
  b: number;
  text: string;
}

export const chance: fc.Arbitrary<Chance> = fc.record({
  a: fc.nat(),
  b: fc.nat(),
  text: fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }),
});

const always = () => true;
const ofBody = (scheme: Scheme) => scheme.signsBody;
const ofTime = (scheme: Scheme) => scheme.signsTime;
const ofList = ({ verify, title }: Scheme) => verify.type === 'stripe' || title === 'standard-webhooks v1';

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a bit of the body flipped',
    appliesTo: ofBody,
    apply: ({ request }, { a }) => ({ request: withBody(request, flipBit(request.rawBody, a)) }),
  },
  {
    name: 'the body cut',
    appliesTo: ofBody,
    apply: ({ request }, { a }) => {
      const { rawBody } = request;
      return { request: withBody(request, rawBody.subarray(0, a % rawBody.length)) };
    },
  },
  {
    name: 'more after the body',
    appliesTo: ofBody,
    apply: ({ request }, { text }) => ({
      request: withBody(request, Buffer.concat([request.rawBody, Buffer.from(text)])),
    }),
  },
  {
    name: 'a bit of a proving header flipped',
    appliesTo: always,
    apply: (signed, { a, b }) => ({
      request: withProof(signed, b, (value, from) => {
        const bits = Buffer.from(value.slice(from), 'latin1');
        return value.slice(0, from) + flipBit(bits, a).toString('latin1');
      }),
    }),
  },
  {
    name: 'a proving header cut',
    appliesTo: always,
    apply: (signed, { a, b }) => ({
      request: withProof(signed, b, (value) => value.slice(0, a % value.length)),
    }),
  },
  {
    name: 'a text put into a proving header',
    appliesTo: always,
    apply: (signed, { a, b, text }) => ({
      request: withProof(signed, b, (value, from) => {
        const at = from + (a % (value.length - from + 1));
        // A further scheme in a list leaves the proof as it was; one character makes none.
        return value.slice(0, at) + [...text][0]! + value.slice(at);
      }),
    }),
  },
  {
    name: 'a proving header replaced',
    appliesTo: always,
    apply: (signed, { b, text }) => ({ request: withProof(signed, b, () => text) }),
  },
  {
    name: 'a proving header left out',
    appliesTo: always,
    apply: (signed, { b }) => ({ request: withProof(signed, b, () => undefined) }),
  },
  {
    name: 'a proving header repeated',
    appliesTo: always,
    apply: (signed, { a, b }) => ({
      request: withProof(
        signed,
        b,
        (value) => [[value, value], `${value}, ${value}`, `${value},${value}`][a % 3],
      ),
    }),
  },
  {
    name: 'a proving header beyond its bound',
    appliesTo: always,
    apply: (signed, { a, b }) => ({
      request: withProof(signed, b, (value) => `${value}${',v0='.repeat(2048 + (a % 20_000))}`),
    }),
  },
  {
    name: 'the headers inherited',
    appliesTo: always,
    apply: ({ request }) => ({
      request: { ...request, headers: Object.create(request.headers) as InboundRequest['headers'] },
    }),
  },
  {
    name: 'the time outside the tolerance',
    appliesTo: ofTime,
    apply: ({ request, nowMs }, { a, b }) => {
      const awayMs = 301_000 + (a % 10 ** (b % 12));
      return { request, nowMs: b % 2 === 0 ? nowMs + awayMs : nowMs - awayMs };
    },
  },
  {
    name: 'the time written otherwise',
    appliesTo: ofTime,
    apply: (signed, { a }) => {
      const written = [
        (t: string) => `0${t}`,
        (t: string) => `+${t}`,
        (t: string) => `${t}.0`,
        (t: string) => ` ${t}`,
      ];
      const change = written[a % written.length]!;
      const { request } = signed;
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [
          name,
          String(value).replace(
            /^(t=)?(\d{10,13})(?=,|$)/,
            (_all, t = '', digits: string) => t + change(digits),
          ),
        ]),
      );
      return { request: { ...request, headers } };
    },
  },
  {
    name: 'too many signatures',
    appliesTo: ofList,
    apply: (signed, { a }) => ({
      request: withProof(signed, 0, (value) => {
        const separator = signed.scheme.verify.type === 'stripe' ? ',' : ' ';
        const signature = value.slice(value.indexOf('v1'));
        return value + `${separator}${signature}`.repeat(20 + (a % 40));
      }),
    }),
  },
];

function withBody(request: InboundRequest, rawBody: Buffer): InboundRequest {
  return { headers: request.headers, rawBody };
}

/** @param change is told where the part begins that must be exactly right: the name of an HTTP scheme may change case */
function withProof(
  { scheme, request }: SignedRequest,
  chosen: number,
  change: (value: string, from: number) => string | string[] | undefined,
): InboundRequest {
  const names = [scheme.header, ...scheme.furtherHeaders];
  const name = names[chosen % names.length]!;
  const value = String(request.headers[name]);
  const from = name === 'authorization' ? value.indexOf(' ') + 1 : 0;
  const changed = change(value, from);
  return { ...request, headers: { ...request.headers, [name]: changed } };
}

function flipBit(bytes: Buffer, chosen: number): Buffer {
  const flipped = Buffer.from(bytes);
  const at = (chosen >> 3) % flipped.length;
  flipped[at] = flipped[at]! ^ (1 << (chosen & 7));
  return flipped;
}
