import type { TextView } from './text-view.js';

/** Offsets into the body, the end not included. */
export type Range = readonly [start: number, end: number];

/** Our own keys and signing secrets. */
const KEY = /(?:qk|whsec|whsk)_[\w+/=-]+/g;
const NAME = /pass(?:wo?r?d|phrase)|secret|token|authorization|credential|(?:api|access|private)[-_ ]?key/gi;
const REST_OF_NAME = /[\w\-.$[\]]*/y;
const BEFORE_SEPARATOR = /[\s\\"'\]]*/y;
const BEFORE_VALUE = /[\s\\]*/y;
const SCALAR_OF_JSON = /[^\s,}\]"]*/y;
const SCALAR_OF_FORM = /[^&\r\n"<>]*/y;
const SCALAR_OF_LINE = /[^&\r\n"<]*/y;

/** True when a member of that name usually holds a credential. */
export function isCredentialName(name: string): boolean {
  return name.search(NAME) !== -1;
}

/**
 * Where credentials stand, whatever else the text is: it was refused, so it need not be well-formed.
 * @param readings of one text, see `readings`
 * @param secrets further texts to be found, in Latin-1
 */
export function credentialRanges(readings: readonly TextView[], secrets: readonly string[]): Range[] {
  const quotes = new QuoteLevels(readings);
  const ranges = secretRanges(readings, secrets);
  for (const view of readings) {
    for (const [start, end] of memberValues(view, quotes)) addRange(ranges, view, start, end);
  }
  return ranges;
}

/** The same by what it is alone, and not by the name that stands before it. */
export function secretRanges(readings: readonly TextView[], secrets: readonly string[]): Range[] {
  const ranges: Range[] = [];
  for (const view of readings) {
    const add = (start: number, end: number): void => addRange(ranges, view, start, end);
    for (const match of view.text.matchAll(KEY)) add(match.index, match.index + match[0].length);
    for (const secret of secrets) {
      let at = view.text.indexOf(secret);
      for (; at !== -1; at = view.text.indexOf(secret, at + secret.length)) add(at, at + secret.length);
    }
  }
  return ranges;
}

function addRange(ranges: Range[], view: TextView, start: number, end: number): void {
  if (end > start) ranges.push([view.from[start]!, view.to[end - 1]!]);
}

/** How deep each quote is, also in a reading where its escapes are not undone yet. */
class QuoteLevels {
  private readonly levels = new Map<number, number>();

  constructor(readings: readonly TextView[]) {
    for (const { text, to, level } of readings) {
      for (let i = 0; i < text.length; i++) {
        if (level[i]! > 0 && isQuote(text[i])) this.levels.set(to[i]!, level[i]!);
      }
    }
  }

  of(view: TextView, at: number): number {
    return this.levels.get(view.to[at]!) ?? 0;
  }

  /** How many backslashes in front of a quote belong to it. */
  backslashesBefore(view: TextView, at: number): number {
    return at < view.text.length ? 2 ** (this.of(view, at) - view.level[at]!) - 1 : 0;
  }
}

/** The values of members that are named like credentials, as indices into the view. */
function* memberValues(view: TextView, quotes: QuoteLevels): Generator<Range> {
  const { text } = view;
  // Every step goes on where the one before has ended, so that all of them together are linear.
  let at = 0;
  for (;;) {
    NAME.lastIndex = at;
    const match = NAME.exec(text);
    if (!match) return;
    const nameEnd = skip(REST_OF_NAME, text, match.index + match[0].length);
    at = skip(BEFORE_SEPARATOR, text, nameEnd);
    const separator = text[at];
    if (separator !== ':' && separator !== '=') continue;
    const start = skip(BEFORE_VALUE, text, at + 1);
    const isQuotedName = text.slice(nameEnd, at).includes('"');
    const [from, to, next] = valueAt(view, quotes, start, separator, isQuotedName);
    yield [from, to];
    at = next;
  }
}

/** @returns where the value begins and ends, and where to go on */
function valueAt(
  view: TextView,
  quotes: QuoteLevels,
  start: number,
  separator: ':' | '=',
  isQuotedName: boolean,
): readonly [number, number, number] {
  const { text } = view;
  if (isQuote(text[start])) {
    const end = endOfString(view, quotes, start);
    const last = Math.max(start + 1, end - quotes.backslashesBefore(view, end));
    return [start + 1, last, end + 1];
  }
  if (text[start] === '{' || text[start] === '[') {
    const end = endOfNested(view, quotes, start);
    return [start, end, end];
  }
  const scalar = separator === '=' ? SCALAR_OF_FORM : isQuotedName ? SCALAR_OF_JSON : SCALAR_OF_LINE;
  const end = skip(scalar, text, start);
  return [start, end, end];
}

/** @returns the index of the closing quote: the next that is no deeper than the opening one; else the text's end */
function endOfString(view: TextView, quotes: QuoteLevels, opening: number): number {
  const { text } = view;
  const quote = text[opening]!;
  const depth = quotes.of(view, opening);
  for (let at = text.indexOf(quote, opening + 1); at !== -1; at = text.indexOf(quote, at + 1)) {
    if (quotes.of(view, at) <= depth) return at;
  }
  return text.length;
}

/** @returns the index after an object or array, or where the text around it ends */
function endOfNested(view: TextView, quotes: QuoteLevels, opening: number): number {
  const { text } = view;
  let open = 0;
  let depth: number | undefined;
  for (let at = opening; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"') {
      const here = quotes.of(view, at);
      depth ??= here;
      if (here < depth) return at;
      at = endOfString(view, quotes, at);
      if (at < text.length && quotes.of(view, at) < depth) return at;
    } else if (letter === '{' || letter === '[') open++;
    else if ((letter === '}' || letter === ']') && --open === 0) return at + 1;
  }
  return text.length;
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}

function isQuote(letter: string | undefined): boolean {
  return letter === '"' || letter === "'";
}
