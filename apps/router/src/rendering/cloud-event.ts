import type { CloudEventAttributes } from '@quittance/contracts';
import type { EventContent } from './event-data.js';

const CLOSE = Buffer.from('}');
/** CloudEvents' HTTP binding: space, `"`, `%` and everything outside U+0021 to U+007E is percent-encoded. */
// oxlint-disable-next-line no-control-regex -- the range is the specification's
const ENCODED = /["%]|[^\u0021-\u007e]/gu;

/** JSON format of CloudEvents 1.0. JSON data is put in byte for byte, everything else as `data_base64`. */
export function structuredCloudEvent({ attributes, data, isJson }: EventContent): Buffer {
  const head = JSON.stringify({ specversion: '1.0', ...namedAttributes(attributes) }).slice(0, -1);
  if (data === null) return Buffer.from(`${head}}`);
  if (isJson) return Buffer.concat([Buffer.from(`${head},"data":`), data, CLOSE]);
  return Buffer.from(`${head},"data_base64":"${data.toString('base64')}"}`);
}

/** The `ce-*` headers of the HTTP binding's binary mode. The content type stands in `content-type`. */
export function cloudEventHeaders(attributes: CloudEventAttributes): Record<string, string> {
  const headers: Record<string, string> = { 'ce-specversion': '1.0' };
  for (const [name, value] of Object.entries(namedAttributes(attributes))) {
    if (name !== 'datacontenttype') headers[`ce-${name}`] = encodeHeaderValue(value);
  }
  return headers;
}

function namedAttributes(attributes: CloudEventAttributes): Record<string, string> {
  const { extensions, ...core } = attributes;
  return { ...extensions, ...core };
}

function encodeHeaderValue(value: string): string {
  return value.replaceAll(ENCODED, (character) => {
    let encoded = '';
    for (const byte of Buffer.from(character)) {
      encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }
    return encoded;
  });
}
