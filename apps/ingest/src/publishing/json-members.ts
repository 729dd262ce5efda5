/** Where a value stands in the bytes: from its first byte to behind its last. */
export interface ByteRange {
  start: number;
  end: number;
}

export type JsonMembers = ReadonlyMap<string, ByteRange>;

/** JSON that parses, yet is not accepted: a name twice in one object, or nested too deep. */
export class JsonStructureError extends Error {}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Finds the values of an object's members, without copying or decoding them. The bytes must be JSON that `JSON.parse`
 * accepts, with an object as its value: this only finds places, it does not validate.
 * @param maxDepth how deep a member's value may nest
 * @throws JsonStructureError
 */
export function membersOf(json: Buffer, maxDepth: number): JsonMembers {
  return new Scanner(json, maxDepth).object();
}

/**
 * As `membersOf`, for an array of objects.
 * @throws JsonStructureError
 */
export function membersOfEach(json: Buffer, maxDepth: number): JsonMembers[] {
  return new Scanner(json, maxDepth).arrayOfObjects();
}

/**
 * Checks the depth alone.
 * @throws JsonStructureError
 */
export function assertDepth(json: Buffer, maxDepth: number): void {
  new Scanner(json, maxDepth).value();
}

class Scanner {
  private at = 0;

  constructor(
    private readonly json: Buffer,
    private readonly maxDepth: number,
  ) {}

  object(): JsonMembers {
    const members = new Map<string, ByteRange>();
    this.expect(OPEN_BRACE);
    if (this.skipIf(CLOSE_BRACE)) return members;
    do {
      this.space();
      const name = this.name();
      this.expect(COLON);
      this.space();
      const start = this.at;
      this.value();
      if (members.has(name))
        throw new JsonStructureError(`The member "${name.slice(0, 64)}" stands there twice.`);
      members.set(name, { start, end: this.at });
    } while (this.skipIf(COMMA));
    this.expect(CLOSE_BRACE);
    return members;
  }

  arrayOfObjects(): JsonMembers[] {
    const elements: JsonMembers[] = [];
    this.expect(OPEN_BRACKET);
    if (this.skipIf(CLOSE_BRACKET)) return elements;
    do elements.push(this.object());
    while (this.skipIf(COMMA));
    this.expect(CLOSE_BRACKET);
    return elements;
  }

  /** Goes behind the value that begins here. */
  value(): void {
    const { json } = this;
    this.space();
    const first = json[this.at];
    if (first === QUOTE) {
      this.string();
      return;
    }
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
      this.scalar();
      return;
    }
    let depth = 0;
    do {
      const byte = json[this.at];
      if (byte === undefined) throw new JsonStructureError('The JSON ends too early.');
      if (byte === QUOTE) {
        this.string();
        continue;
      }
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (++depth > this.maxDepth) {
          throw new JsonStructureError(`The JSON nests deeper than ${this.maxDepth} levels.`);
        }
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
      this.at++;
    } while (depth > 0);
  }

  private name(): string {
    const start = this.at;
    const hasEscapes = this.string();
    return hasEscapes
      ? (JSON.parse(this.json.toString('utf8', start, this.at)) as string)
      : this.json.toString('utf8', start + 1, this.at - 1);
  }

  /** @returns whether it has escapes */
  private string(): boolean {
    const { json } = this;
    const { length } = json;
    let hasEscapes = false;
    let at = this.at + 1;
    for (; at < length; at++) {
      const byte = json[at];
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        hasEscapes = true;
        at++;
      }
    }
    this.at = at + 1;
    return hasEscapes;
  }

  /** A number, `true`, `false` or `null`: up to what can follow a value. */
  private scalar(): void {
    const { json } = this;
    for (; this.at < json.length; this.at++) {
      const byte = json[this.at]!;
      if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte <= 0x20) return;
    }
  }

  private space(): void {
    const { json } = this;
    while (this.at < json.length && json[this.at]! <= 0x20) this.at++;
  }

  private skipIf(byte: number): boolean {
    this.space();
    if (this.json[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  private expect(byte: number): void {
    if (!this.skipIf(byte)) {
      throw new JsonStructureError(`There should be a "${String.fromCharCode(byte)}" at byte ${this.at}.`);
    }
  }
}
