import { RE2JS } from 're2js';
import { isPlainPattern } from './plain-pattern.js';

/** Longer patterns are refused: compile time and memory grow with them, and nobody reads them. */
const MAX_PATTERN_LENGTH = 512;
/** Instructions of a compiled pattern; `(?:a{30}){30}` has about 900. */
const MAX_PROGRAM_SIZE = 5000;
const MAX_CACHED_PATTERNS = 256;

/** A regular expression that cannot be used. The message says why. */
export class PatternError extends Error {
  readonly code = 'invalid_pattern';
  readonly retryable = false;
}

/** A compiled pattern. */
export interface LinearRegExp {
  test(text: string): boolean;
}

/** Least recently used first. */
const compiled = new Map<string, LinearRegExp>();

/**
 * RE2 in place of JavaScript's RegExp, whose backtracking is exponential: matching takes time linear in the text.
 * @throws PatternError when the pattern is too long, malformed, or needs backtracking (look-around, back-references)
 */
export function linearRegExp(pattern: string): LinearRegExp {
  const known = compiled.get(pattern);
  if (known !== undefined) {
    compiled.delete(pattern);
    compiled.set(pattern, known);
    return known;
  }
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new PatternError(`The regular expression is longer than ${MAX_PATTERN_LENGTH} characters.`);
  }
  const re2 = compile(pattern);
  if (re2.programSize() > MAX_PROGRAM_SIZE) {
    throw new PatternError('The regular expression is too large: use smaller repetition counts.');
  }
  const fresh = isPlainPattern(pattern) ? native(pattern, re2) : re2;
  if (compiled.size >= MAX_CACHED_PATTERNS) compiled.delete(compiled.keys().next().value!);
  compiled.set(pattern, fresh);
  return fresh;
}

function native(pattern: string, otherwise: LinearRegExp): LinearRegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    // An escape that only RE2 knows.
    return otherwise;
  }
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern));
  } catch (error) {
    const detail = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : '';
    throw new PatternError(
      `The regular expression cannot be used (${detail}). It must be RE2: without look-around and back-references.`,
      { cause: error },
    );
  }
}
