import { Problem } from '@quittance/contracts';
import type { IncomingHttpHeaders } from 'node:http';
import { readBinary } from './binary-mode.js';
import { eachOrProblem } from '../publishing/event-error.js';
import { readBatch, readPlain, readStructured } from './json-mode.js';
import { isJsonMediaType, type ReadingContext, type ReceivedEvent } from '../publishing/received-event.js';

export type ContentMode = 'batch' | 'structured' | 'binary' | 'plain';

const BATCH = 'application/cloudevents-batch';
const STRUCTURED = 'application/cloudevents';

/**
 * Decides by content type, and by `ce-*` headers, how a request carries its events.
 * @throws Problem `unsupported_media_type`
 */
export function contentModeOf(headers: IncomingHttpHeaders): ContentMode {
  const contentType = headers['content-type'] ?? '';
  const mediaType = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  // The longer name first: the other one is its beginning.
  if (mediaType.startsWith(BATCH)) return jsonFormat(mediaType, `${BATCH}+json`, contentType, 'batch');
  if (mediaType.startsWith(STRUCTURED))
    return jsonFormat(mediaType, `${STRUCTURED}+json`, contentType, 'structured');
  if (headers['ce-specversion'] !== undefined || headers['ce-id'] !== undefined) return 'binary';
  if (!isJsonMediaType(mediaType)) {
    throw new Problem(
      'unsupported_media_type',
      'Send "content-type: application/json", a CloudEvent in structured mode, or one in binary mode with "ce-" headers.',
    );
  }
  assertUtf8(contentType);
  return 'plain';
}

/** @throws Problem naming what is wrong with the request, or with any of its events */
export function readEvents(
  mode: ContentMode,
  headers: IncomingHttpHeaders,
  body: Buffer,
  context: ReadingContext,
): ReceivedEvent[] {
  switch (mode) {
    case 'batch':
      return readBatch(body, context);
    case 'structured':
      return readStructured(body, context);
    case 'binary':
      return eachOrProblem([body], false, () => readBinary(headers, body, context));
    case 'plain':
      return readPlain(body, context);
  }
}

function jsonFormat(
  mediaType: string,
  supported: string,
  contentType: string,
  mode: ContentMode,
): ContentMode {
  if (mediaType !== supported) {
    throw new Problem(
      'unsupported_media_type',
      `Of CloudEvents' event formats only JSON is supported: "${supported}".`,
    );
  }
  assertUtf8(contentType);
  return mode;
}

function assertUtf8(contentType: string): void {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1];
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) {
    throw new Problem('unsupported_media_type', 'JSON must be sent as UTF-8.');
  }
}
