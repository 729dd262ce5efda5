/**
 * A text as its reader would understand it, in Latin-1 (a character is a byte of UTF-8), and from which bytes of the body
 * each character comes.
 */
export interface TextView {
  readonly text: string;
  /** Offset of the first byte of each character. */
  readonly from: Int32Array;
  /** Offset after its last byte. */
  readonly to: Int32Array;
  /** How many times each character was escaped: of quotes this tells those of a text from those within it. */
  readonly level: Uint8Array;
}

const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;
const LETTER_U = 0x75;
const HEX = /^[0-9A-Fa-f]+$/;

/** What stands after the backslash, by character code. */
const ESCAPES = new Map(
  Object.entries({
    '"': '"',
    "'": "'",
    '\\': '\\',
    '/': '/',
    b: '\b',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
  }).map(([letter, meaning]) => [letter.charCodeAt(0), meaning.charCodeAt(0)]),
);
/** Escaped text may hold these only escaped; so after a backslash that was escaped itself, a plain one is no part of it. */
const MUST_BE_ESCAPED = new Set([...`"'\\`].map((letter) => letter.charCodeAt(0)));

class ViewWriter {
  private readonly bytes: Buffer;
  private readonly from: Int32Array;
  private readonly to: Int32Array;
  private readonly level: Uint8Array;
  private length = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.alloc(capacity);
    this.from = new Int32Array(capacity);
    this.to = new Int32Array(capacity);
    this.level = new Uint8Array(capacity);
  }

  add(code: number, from: number, to: number, level: number): void {
    this.bytes[this.length] = code;
    this.from[this.length] = from;
    this.to[this.length] = to;
    this.level[this.length] = level;
    this.length++;
  }

  view(): TextView {
    const { length } = this;
    return {
      text: this.bytes.toString('latin1', 0, length),
      from: this.from.subarray(0, length),
      to: this.to.subarray(0, length),
      level: this.level.subarray(0, length),
    };
  }
}

/** @param start where the text begins in the body */
export function plainView(text: string, start = 0): TextView {
  const writer = new ViewWriter(text.length);
  for (let i = 0; i < text.length; i++) writer.add(text.charCodeAt(i), start + i, start + i + 1, 0);
  return writer.view();
}

/** The value of a form's field, decoded. */
export function formView(text: string, start: number): TextView {
  const writer = new ViewWriter(text.length);
  for (let i = 0; i < text.length;) {
    const code = text.charCodeAt(i);
    const hex = code === PERCENT ? text.slice(i + 1, i + 3) : '';
    const isEncoded = hex.length === 2 && HEX.test(hex);
    const length = isEncoded ? 3 : 1;
    const plain = code === PLUS ? SPACE : code;
    writer.add(isEncoded ? Number.parseInt(hex, 16) : plain, start + i, start + i + length, 0);
    i += length;
  }
  return writer.view();
}

/**
 * The text, and how it reads after each round of undoing JSON's escapes: a member may be spelled with escapes, and a text
 * may be JSON itself. A round needs twice the backslashes of the one before, so there are few.
 */
export function readings(view: TextView): TextView[] {
  const views = [view];
  for (let round = 1; ; round++) {
    const next = unescaped(views.at(-1)!, round);
    if (!next) return views;
    views.push(next);
  }
}

/** @returns `undefined` when there was nothing to undo */
function unescaped(view: TextView, round: number): TextView | undefined {
  const { text, from, to, level } = view;
  const writer = new ViewWriter(text.length);
  let found = false;
  for (let i = 0; i < text.length;) {
    const escape = text.charCodeAt(i) === BACKSLASH && level[i] === round - 1 && escapeAt(view, i, round);
    if (!escape) {
      writer.add(text.charCodeAt(i), from[i]!, to[i]!, level[i]!);
      i++;
      continue;
    }
    found = true;
    for (const code of escape.bytes) writer.add(code, from[i]!, to[i + escape.length - 1]!, round);
    i += escape.length;
  }
  return found ? writer.view() : undefined;
}

/** @returns the bytes that the escape stands for, never more than its own length */
function escapeAt(
  { text, level }: TextView,
  at: number,
  round: number,
): { bytes: Iterable<number>; length: number } | undefined {
  const code = text.charCodeAt(at + 1);
  if (code === LETTER_U) {
    const unit = codeUnit(text, at);
    if (unit === undefined) return undefined;
    const second = unit >= 0xd800 && unit < 0xdc00 ? codeUnit(text, at + 6) : undefined;
    if (second === undefined) return { bytes: Buffer.from(String.fromCharCode(unit)), length: 6 };
    return { bytes: Buffer.from(String.fromCharCode(unit, second)), length: 12 };
  }
  const meaning = ESCAPES.get(code);
  if (meaning === undefined) return undefined;
  if (MUST_BE_ESCAPED.has(code) && level[at + 1] !== round - 1) return undefined;
  return { bytes: [meaning], length: 2 };
}

/** Of `\uXXXX`. */
function codeUnit(text: string, at: number): number | undefined {
  if (text.charCodeAt(at) !== BACKSLASH || text.charCodeAt(at + 1) !== LETTER_U) return undefined;
  const hex = text.slice(at + 2, at + 6);
  return hex.length === 4 && HEX.test(hex) ? Number.parseInt(hex, 16) : undefined;
}
