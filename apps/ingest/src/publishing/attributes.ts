import { hasControlCharacters, MAX_EVENT_ID_BYTES, type CloudEventAttributes } from '@quittance/contracts';
import { EventError, invalidAttribute } from './event-error.js';

/** What is filled in where a mode allows an attribute to be left out. */
export interface AttributeDefaults {
  /** Called when the event has no id; `undefined`: it must have one. */
  id(): string | undefined;
  source?: string;
}

/** Bytes of an attribute's text. The id and the partition key are part of Kafka keys and of the ledger's. */
export const MAX_BYTES: Record<string, number> = {
  id: MAX_EVENT_ID_BYTES,
  partitionkey: 512,
  source: 1024,
  subject: 1024,
  type: 253,
};
export const MAX_OTHER_BYTES = 4096;
/** Kafka headers of an event are at most 16 KiB; the rest is for ours and the trace context. */
const MAX_TOTAL_BYTES = 15 * 1024;
export const MAX_NAME_LENGTH = 64;

const NAME = /^[a-z0-9]+$/;
const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,18})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
export const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;.*)?$/;
export const URI = /^[A-Za-z][A-Za-z0-9+.-]*:\S*$/;
export const MIN_INT = -(2 ** 31);
export const MAX_INT = 2 ** 31 - 1;

/**
 * Checks attributes by the rules of CloudEvents 1.0 and brings them into their text form.
 * @param given name and value of each attribute; `null` counts as not given. `specversion` is not among them.
 * @throws EventError `invalid_cloudevent`
 */
export function toAttributes(
  given: Iterable<[string, unknown]>,
  defaults: AttributeDefaults,
): CloudEventAttributes {
  const attributes: CloudEventAttributes = { id: '', source: '', type: '', extensions: {} };
  let total = 0;
  for (const [name, value] of given) {
    checkName(name);
    if (value === null || value === undefined) continue;
    const text = toText(name, value);
    total += name.length + Buffer.byteLength(text);
    if (isCore(name)) attributes[name] = text;
    else attributes.extensions[name] = text;
  }
  if (total > MAX_TOTAL_BYTES) {
    throw new EventError('invalid_cloudevent', [
      { path: '', message: `the attributes are larger than ${MAX_TOTAL_BYTES} bytes together` },
    ]);
  }
  attributes.id ||= defaults.id() ?? '';
  attributes.source ||= defaults.source ?? '';
  for (const name of ['id', 'source', 'type'] as const) {
    if (attributes[name] === '') throw invalidAttribute(name, `"${name}" is required`);
  }
  const { time, dataschema, datacontenttype } = attributes;
  if (time !== undefined && !isTime(time)) throw invalidAttribute('time', '"time" is not a time by RFC 3339');
  if (dataschema !== undefined && !URI.test(dataschema)) {
    throw invalidAttribute('dataschema', '"dataschema" is not an absolute URI');
  }
  if (datacontenttype !== undefined && !MEDIA_TYPE.test(datacontenttype)) {
    throw invalidAttribute('datacontenttype', '"datacontenttype" is not a media type');
  }
  return attributes;
}

function isCore(name: string): name is Exclude<keyof CloudEventAttributes, 'extensions'> {
  switch (name) {
    case 'id':
    case 'source':
    case 'type':
    case 'time':
    case 'subject':
    case 'dataschema':
    case 'datacontenttype':
      return true;
    default:
      return false;
  }
}

/** Also of what is not given: what the documents forbid is refused whatever its value. */
function checkName(name: string): void {
  if (!NAME.test(name) || name.length > MAX_NAME_LENGTH) {
    const shown = name.slice(0, MAX_NAME_LENGTH).replaceAll('~', '~0').replaceAll('/', '~1');
    throw invalidAttribute(
      shown,
      `an attribute's name has 1 to ${MAX_NAME_LENGTH} lower-case letters and digits; "${shown}" does not`,
    );
  }
}

function toText(name: string, value: unknown): string {
  if (typeof value === 'string') return checkText(name, value);
  if (!isCore(name)) {
    if (typeof value === 'boolean') return String(value);
    if (typeof value === 'number' && Number.isInteger(value) && value >= MIN_INT && value <= MAX_INT) {
      return String(value);
    }
    throw invalidAttribute(name, `"${name}" must be a string, a boolean or a 32-bit integer`);
  }
  throw invalidAttribute(name, `"${name}" must be a string`);
}

function checkText(name: string, text: string): string {
  if (text === '') throw invalidAttribute(name, `"${name}" must not be empty`);
  const limit = MAX_BYTES[name] ?? MAX_OTHER_BYTES;
  if (text.length > limit || Buffer.byteLength(text) > limit) {
    throw invalidAttribute(name, `"${name}" is longer than ${limit} bytes`);
  }
  if (hasControlCharacters(text) || !text.isWellFormed()) {
    throw invalidAttribute(name, `"${name}" has characters that CloudEvents does not allow`);
  }
  return text;
}

function isTime(text: string): boolean {
  const match = RFC3339.exec(text);
  if (!match) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
