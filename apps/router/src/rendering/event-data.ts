import { celEvent, type CelData, type CelEvent } from '@quittance/catalog';
import type { CloudEventAttributes, EventRecord } from '@quittance/contracts';

/** CloudEvents: without a content type, data is JSON. */
export const JSON_TYPE = 'application/json';

const HEADER_VALUE = /^[\u0020-\u007e]{1,256}$/;

/** An event's attributes and data, as they came or as a transform made them. */
export interface EventContent {
  readonly attributes: CloudEventAttributes;
  /** `null`: there is none. */
  readonly data: Buffer | null;
  /** Of the data, fit for an HTTP header. */
  readonly contentType: string;
  readonly isJson: boolean;
}

export function contentOf(event: EventRecord): EventContent {
  const declared = event.attributes.datacontenttype ?? JSON_TYPE;
  // A line break in a content type would make every request for this event fail before it is sent.
  const contentType = HEADER_VALUE.test(declared) ? declared : 'application/octet-stream';
  return {
    attributes: event.attributes,
    data: event.data?.length === 0 ? null : event.data,
    contentType,
    isJson: isJsonType(contentType),
  };
}

/** What a transform made of the event: JSON, which the original's schema does not describe any more. */
export function transformedContent(original: EventContent, data: Buffer): EventContent {
  const { dataschema: _described, ...attributes } = original.attributes;
  return {
    attributes: { ...attributes, datacontenttype: JSON_TYPE },
    data,
    contentType: JSON_TYPE,
    isJson: true,
  };
}

/** The event for expressions. Parses the data, so it is made only if there is an expression, and once. */
export function expressionEvent(content: EventContent): CelEvent {
  return celEvent(content.attributes, parse(content));
}

function parse({ data, isJson, contentType }: EventContent): CelData {
  if (data === null) return { value: null, bytes: 0 };
  if (!isJson) return { problem: `the data is ${contentType.slice(0, 100)}, not JSON` };
  try {
    return { value: JSON.parse(data.toString()) as unknown, bytes: data.length };
  } catch {
    return { problem: 'the data is not valid JSON' };
  }
}

function isJsonType(contentType: string): boolean {
  if (contentType === JSON_TYPE) return true;
  const [type = ''] = contentType.split(';');
  const media = type.trim().toLowerCase();
  return media === JSON_TYPE || media === 'text/json' || media.endsWith('+json');
}
