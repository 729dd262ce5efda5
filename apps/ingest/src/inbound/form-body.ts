import { Problem } from '@quittance/contracts';
import { percentDecode } from '../publishing/percent-decoding.js';

export const MAX_FORM_FIELDS = 1000;

/** A form's fields; a name that stands there several times has all its values, in order. */
export type FormFields = Record<string, string | string[]>;

/**
 * Reads `application/x-www-form-urlencoded`, as browsers write it.
 * @throws Problem `malformed_request` when a text is not UTF-8; `payload_too_large` beyond 1,000 fields
 */
export function readForm(body: Buffer): FormFields {
  // A Map, since a field may be called "__proto__".
  const fields = new Map<string, string | string[]>();
  let count = 0;
  for (const field of fieldsOf(body.toString('latin1'))) {
    if (++count > MAX_FORM_FIELDS) {
      throw new Problem('payload_too_large', `A form has at most ${MAX_FORM_FIELDS} fields.`);
    }
    const equals = field.indexOf('=');
    const name = decode(equals === -1 ? field : field.slice(0, equals));
    const value = equals === -1 ? '' : decode(field.slice(equals + 1));
    const known = fields.get(name);
    if (known === undefined) fields.set(name, value);
    else if (typeof known === 'string') fields.set(name, [known, value]);
    else known.push(value);
  }
  return Object.fromEntries(fields);
}

/** One after the other: of a body full of "&" there is nothing to keep. */
function* fieldsOf(text: string): Iterable<string> {
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('&', start);
    const field = text.slice(start, end === -1 ? text.length : end);
    if (field !== '') yield field;
    if (end === -1) return;
    start = end + 1;
  }
}

function decode(text: string): string {
  try {
    return percentDecode(text.replaceAll('+', ' '));
  } catch {
    throw new Problem('malformed_request', 'The form has a text that is not UTF-8.');
  }
}
