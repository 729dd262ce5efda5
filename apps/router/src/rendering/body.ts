import { isUtf8 } from 'node:buffer';
import type { BodyFormat } from '@quittance/contracts';
import { cloudEventHeaders, structuredCloudEvent } from './cloud-event.js';
import { JSON_TYPE, type EventContent } from './event-data.js';

/** A request's body and what its format says about it. */
export interface RenderedBody {
  contentType: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

const NO_HEADERS: Record<string, string> = {};
const EMPTY = Buffer.alloc(0);
const NULL = Buffer.from('null');
const CLOSE = Buffer.from('}');

/** @param acceptedAt epoch milliseconds; the time of an event that has none */
export function renderBody(format: BodyFormat, content: EventContent, acceptedAt: number): RenderedBody {
  switch (format) {
    case 'standard':
      return { contentType: JSON_TYPE, headers: NO_HEADERS, body: standardWebhook(content, acceptedAt) };
    case 'cloudevents':
      return {
        contentType: 'application/cloudevents+json; charset=utf-8',
        headers: NO_HEADERS,
        body: structuredCloudEvent(content),
      };
    case 'cloudevents-binary':
      return {
        contentType: content.contentType,
        headers: cloudEventHeaders(content.attributes),
        body: content.data ?? EMPTY,
      };
    case 'data':
      return { contentType: content.contentType, headers: NO_HEADERS, body: content.data ?? EMPTY };
  }
}

/**
 * Standard Webhooks' payload. JSON data is put in byte for byte. Other data becomes a JSON string, its type beside it as
 * `dataContentType`: text as it is, everything else in base64, which `dataEncoding` says.
 */
function standardWebhook(
  { attributes, data, contentType, isJson }: EventContent,
  acceptedAt: number,
): Buffer {
  const time = attributes.time ?? new Date(acceptedAt).toISOString();
  const head = `{"type":${JSON.stringify(attributes.type)},"timestamp":${JSON.stringify(time)}`;
  if (data === null || isJson) {
    return Buffer.concat([Buffer.from(`${head},"data":`), data ?? NULL, CLOSE]);
  }
  const typed = `${head},"dataContentType":${JSON.stringify(contentType)}`;
  if (/^text\//i.test(contentType) && isUtf8(data)) {
    return Buffer.from(`${typed},"data":${JSON.stringify(data.toString())}}`);
  }
  return Buffer.from(`${typed},"dataEncoding":"base64","data":"${data.toString('base64')}"}`);
}
