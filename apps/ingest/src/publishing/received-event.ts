import type { CloudEventAttributes } from '@quittance/contracts';
import { isUtf8 } from 'node:buffer';
import { EventError } from './event-error.js';
import { assertDepth, JsonStructureError } from './json-members.js';

/** How deep data may nest: what reads it after us recurses. */
export const MAX_DEPTH = 64;

/** One event as it was read from a request. */
export interface ReceivedEvent {
  attributes: CloudEventAttributes;
  /** The data's bytes exactly as received; `null` when there are none. */
  data: Buffer | null;
  /** The data's value, when its media type is JSON; `undefined` otherwise. */
  value: unknown;
}

/** What reading an event needs to know besides the request. */
export interface ReadingContext {
  namespace: string;
  /** The id of an event that has none; `index` in a batch. `undefined`: it must have one. */
  newId(index?: number): string | undefined;
}

/** `application/json`, `text/json`, `application/vnd.shop+json`, with or without parameters. */
export function isJsonMediaType(mediaType: string): boolean {
  return mediaType === 'application/json' || /^[^;/]+\/([^;]+\+)?json\s*(;|$)/i.test(mediaType);
}

/**
 * Data that says that it is JSON must be JSON: it is passed on inside other JSON.
 * @throws EventError
 */
export function parseData(data: Buffer): unknown {
  if (!isUtf8(data)) throw badData('the data is not UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch (error) {
    throw badData(`the data is not JSON: ${(error as SyntaxError).message}`);
  }
  try {
    assertDepth(data, MAX_DEPTH);
  } catch (error) {
    if (error instanceof JsonStructureError) throw badData(error.message);
    throw error;
  }
  return value;
}

function badData(message: string): EventError {
  return new EventError('invalid_cloudevent', [{ path: '/data', message }]);
}
