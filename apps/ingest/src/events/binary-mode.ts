import type { IncomingHttpHeaders } from 'node:http';
import { toAttributes } from '../publishing/attributes.js';
import { EventError, invalidAttribute } from '../publishing/event-error.js';
import { percentDecode } from '../publishing/percent-decoding.js';
import {
  isJsonMediaType,
  parseData,
  type ReadingContext,
  type ReceivedEvent,
} from '../publishing/received-event.js';

const PREFIX = 'ce-';

/** CloudEvents' HTTP binding, binary mode: attributes in `ce-*` headers, the body is the data. */
export function readBinary(
  headers: IncomingHttpHeaders,
  body: Buffer,
  context: ReadingContext,
): ReceivedEvent {
  const given: [string, unknown][] = [];
  for (const header of Object.keys(headers)) {
    if (!header.startsWith(PREFIX)) continue;
    const name = header.slice(PREFIX.length);
    if (name === 'datacontenttype' || name === 'data' || name === 'data_base64') {
      throw invalidAttribute(
        name,
        `there must be no header "${header}": the body is the data, "content-type" its type`,
      );
    }
    const raw = headers[header];
    const value = decodeHeader(name, typeof raw === 'string' ? raw : String(raw));
    if (name === 'specversion') {
      if (value !== '1.0') throw invalidAttribute(name, '"specversion" must be "1.0"');
      continue;
    }
    given.push([name, value]);
  }
  if (headers['ce-specversion'] === undefined)
    throw invalidAttribute('specversion', '"specversion" is required');
  const contentType = headers['content-type'];
  if (contentType !== undefined) given.push(['datacontenttype', contentType]);
  const attributes = toAttributes(given, { id: () => context.newId() });
  if (body.length === 0) return { attributes, data: null, value: undefined };
  const value = contentType !== undefined && isJsonMediaType(contentType) ? parseData(body) : undefined;
  return { attributes, data: body, value };
}

/**
 * Header values percent-encode what is not printable ASCII. Senders that do not encode at all are common, so a "%" that
 * begins no encoded byte stands for itself.
 */
function decodeHeader(name: string, value: string): string {
  // Node reads header bytes as Latin-1.
  if (/[^\u0020-\u007e\t]/.test(value)) {
    throw invalidAttribute(name, `the header "ce-${name}" must be percent-encoded UTF-8`);
  }
  if (!value.includes('%')) return value;
  try {
    return percentDecode(value);
  } catch {
    throw new EventError('invalid_cloudevent', [
      { path: `/${name}`, message: `the header "ce-${name}" does not decode to UTF-8` },
    ]);
  }
}
