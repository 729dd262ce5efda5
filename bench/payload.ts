import { randomBytes } from 'node:crypto';

/** What is published, unless a scenario needs events that some of its subscriptions do not want. */
export const EVENT_TYPE = 'bench.event';

/** Not one letter over and over: compression on the way must not get more out of it than out of real data. */
const NOISE = randomBytes(96 * 1024).toString('base64url');
export const MAX_BODY_BYTES = 64 * 1024;

/** The data's first member, so that the receiver finds it without parsing. */
const NUMBER_MEMBER = '"n":';

/** What every event's data is checked against. */
export const DATA_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: ['n', 'scheduledAt', 'padding'],
  properties: {
    n: { type: 'integer', minimum: 0 },
    scheduledAt: { type: 'number' },
    padding: { type: 'string', maxLength: MAX_BODY_BYTES, pattern: '^[-_A-Za-z0-9]*$' },
  },
  additionalProperties: false,
} as const;

export interface BenchEvent {
  id: string;
  type: string;
  n: number;
  scheduledAt: number;
}

/** One event in the plain JSON form, padded to `bytes`. */
export function plainEvent(event: BenchEvent, bytes: number): string {
  return padded(`{"id":"${event.id}","type":"${event.type}","data":`, event, bytes);
}

/** One event of a CloudEvents batch, padded to `bytes`. */
export function cloudEvent(event: BenchEvent, bytes: number): string {
  const head =
    `{"specversion":"1.0","id":"${event.id}","source":"/bench","type":"${event.type}",` +
    `"datacontenttype":"application/json","data":`;
  return padded(head, event, bytes);
}

/** The data of an event alone, as a webhook's body, padded to `bytes`. */
export function plainData(n: number, bytes: number): string {
  return `${padded('', { id: '', type: '', n, scheduledAt: 0 }, bytes + 1).slice(0, -1)}`;
}

/** All of it is ASCII, so characters are bytes. Each event begins its padding at another place of the noise. */
function padded(head: string, { n, scheduledAt }: BenchEvent, bytes: number): string {
  const start = `${head}{${NUMBER_MEMBER}${n},"scheduledAt":${scheduledAt.toFixed(3)},"padding":"`;
  const end = '"}}';
  const missing = Math.max(0, bytes - start.length - end.length);
  const from = (n * 61) % (NOISE.length - MAX_BODY_BYTES);
  return start + NOISE.slice(from, from + missing) + end;
}

/** The event's number in a delivery's body, whatever format wraps the data; -1 when there is none. */
export function numberIn(body: Buffer): number {
  let at = body.indexOf(NUMBER_MEMBER);
  if (at < 0) return -1;
  at += NUMBER_MEMBER.length;
  let value = -1;
  for (let digit = body[at]; digit !== undefined && digit >= 48 && digit <= 57; digit = body[++at]) {
    value = Math.max(value, 0) * 10 + digit - 48;
  }
  return value;
}
