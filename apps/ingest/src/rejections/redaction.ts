import { credentialRanges, isCredentialName, secretRanges, type Range } from './credential-ranges.js';
import { formView, plainView, readings } from './text-view.js';

const BLOT = Buffer.from('[redacted]');
/** How far beyond the part that is kept a credential is looked for that begins in it. */
const LOOK_AHEAD_BYTES = 16 * 1024;
/** Shorter ones would blot out ordinary text. */
const MIN_SECRET_LENGTH = 4;
const JSON_BEGINNING = /^\s*["[{]/;

export interface RedactionOptions {
  /** Texts that must not be kept, wherever they stand. */
  secrets?: readonly string[];
  /** Media type of the body; forms are also read as such. */
  contentType?: string | undefined;
  /**
   * What this service says of a request, in a sentence: it quotes no values, and words such as "the source's secrets: …"
   * are no members.
   */
  isProse?: boolean;
}

/**
 * The beginning of a body without credentials: our own keys, the given secrets, and the values of members and fields that
 * are named like credentials, however they are escaped. What it takes grows with the size only, whatever the body is.
 * @param maxBytes how much is kept
 */
export function redactBody(body: Buffer, maxBytes: number, options: RedactionOptions = {}): Buffer {
  const window = body.subarray(0, maxBytes + LOOK_AHEAD_BYTES);
  const kept = Math.min(window.length, maxBytes);
  const parts: Buffer[] = [];
  let at = 0;
  for (const [start, end] of merged(rangesOf(window.toString('latin1'), options))) {
    if (start >= kept) break;
    parts.push(window.subarray(at, start), BLOT);
    at = end;
  }
  if (at < kept) parts.push(window.subarray(at, kept));
  return Buffer.concat(parts).subarray(0, maxBytes);
}

/** A short text without credentials: part of an answer, a path, a header. */
export function redactText(
  text: string,
  maxBytes: number,
  options: Pick<RedactionOptions, 'secrets' | 'isProse'> = {},
): string {
  return redactBody(Buffer.from(text), maxBytes, options).toString();
}

function rangesOf(
  text: string,
  { secrets = [], contentType = '', isProse = false }: RedactionOptions,
): Range[] {
  const needles = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .map((secret) => Buffer.from(secret).toString('latin1'));
  if (isProse) return secretRanges(readings(plainView(text)), needles);
  const ranges = credentialRanges(readings(plainView(text)), needles);
  const isForm = contentType.toLowerCase().includes('x-www-form-urlencoded') || !JSON_BEGINNING.test(text);
  if (isForm) for (const range of formRanges(text, needles)) ranges.push(range);
  return ranges;
}

function* formRanges(text: string, secrets: readonly string[]): Generator<Range> {
  for (let start = 0; start < text.length;) {
    const nextField = text.indexOf('&', start);
    const end = nextField === -1 ? text.length : nextField;
    const field = text.slice(start, end);
    const equals = field.indexOf('=');
    const isValue = equals !== -1 && equals + 1 < field.length;
    if (isValue && isCredentialName(formView(field.slice(0, equals), start).text)) {
      yield [start + equals + 1, end];
    }
    // What is not encoded was searched with the whole text.
    if (/[%+]/.test(field)) yield* credentialRanges(readings(formView(field, start)), secrets);
    start = end + 1;
  }
}

/** In order, and none of them overlapping. */
function merged(ranges: Range[]): Range[] {
  const result: [number, number][] = [];
  for (const [start, end] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else result.push([start, end]);
  }
  return result;
}
