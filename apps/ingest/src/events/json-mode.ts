import { Problem } from '@quittance/contracts';
import { isUtf8 } from 'node:buffer';
import { toAttributes, type AttributeDefaults } from '../publishing/attributes.js';
import { eachOrProblem, EventError, invalidAttribute } from '../publishing/event-error.js';
import {
  JsonStructureError,
  membersOf,
  membersOfEach,
  type JsonMembers,
} from '../publishing/json-members.js';
import {
  isJsonMediaType,
  MAX_DEPTH,
  parseData,
  type ReadingContext,
  type ReceivedEvent,
} from '../publishing/received-event.js';

export const MAX_BATCH_EVENTS = 500;
export const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

type JsonObject = Record<string, unknown>;

/** `application/cloudevents+json`: one event in CloudEvents' JSON format. */
export function readStructured(body: Buffer, context: ReadingContext): ReceivedEvent[] {
  const object = parseBody(body);
  if (!isObject(object)) throw malformed('The body must be a JSON object.');
  const members = scan(() => membersOf(body, MAX_DEPTH));
  return eachOrProblem([object], false, () =>
    readEvent(body, object, members, true, { id: () => context.newId() }),
  );
}

/** `application/cloudevents-batch+json`: an array of such events. */
export function readBatch(body: Buffer, context: ReadingContext): ReceivedEvent[] {
  const array = parseBody(body);
  if (!Array.isArray(array) || !array.every(isObject))
    throw malformed('The body must be a JSON array of objects.');
  if (array.length > MAX_BATCH_EVENTS) {
    throw new Problem(
      'payload_too_large',
      `A batch has at most ${MAX_BATCH_EVENTS} events; this one has ${array.length}.`,
    );
  }
  const each = scan(() => membersOfEach(body, MAX_DEPTH));
  return eachOrProblem(array, true, (object, index) =>
    readEvent(body, object, each[index]!, true, { id: () => context.newId(index) }),
  );
}

/** `application/json`: `{"type", "data", …}`, where id and source may be left out. */
export function readPlain(body: Buffer, context: ReadingContext): ReceivedEvent[] {
  const object = parseBody(body);
  if (!isObject(object)) {
    throw malformed('The body must be a JSON object such as {"type": "order.completed", "data": {}}.');
  }
  const members = scan(() => membersOf(body, MAX_DEPTH));
  const defaults = { id: () => context.newId(), source: `/namespaces/${context.namespace}` };
  return eachOrProblem([object], false, () => readEvent(body, object, members, false, defaults));
}

function readEvent(
  body: Buffer,
  object: JsonObject,
  members: JsonMembers,
  needsVersion: boolean,
  defaults: AttributeDefaults,
): ReceivedEvent {
  const version = object['specversion'];
  if (version !== '1.0' && (needsVersion || version !== undefined)) {
    throw invalidAttribute(
      'specversion',
      version === undefined ? '"specversion" is required' : '"specversion" must be "1.0"',
    );
  }
  const attributes = toAttributes(attributesOf(object), defaults);
  const { datacontenttype } = attributes;
  const isJson = datacontenttype === undefined || isJsonMediaType(datacontenttype);
  const range = members.get('data');
  const base64 = object['data_base64'];
  if (base64 !== undefined && base64 !== null) {
    if (range) throw invalidAttribute('data_base64', 'there must be only one of "data" and "data_base64"');
    if (typeof base64 !== 'string' || !BASE64.test(base64)) {
      throw invalidAttribute('data_base64', '"data_base64" is not Base64');
    }
    const data = Buffer.from(base64, 'base64');
    return { attributes, data, value: isJson && datacontenttype !== undefined ? parseData(data) : undefined };
  }
  if (!range) return { attributes, data: null, value: undefined };
  const value = object['data'];
  if (isJson) {
    // CloudEvents' JSON format: data without a content type is JSON.
    attributes.datacontenttype ??= 'application/json';
    return { attributes, data: body.subarray(range.start, range.end), value };
  }
  // Of other media types the member is the text of the data, as a JSON string.
  if (typeof value !== 'string') {
    throw new EventError('invalid_cloudevent', [
      { path: '/data', message: `"data" of the content type "${datacontenttype}" must be a string` },
    ]);
  }
  return { attributes, data: Buffer.from(value), value: undefined };
}

function* attributesOf(object: JsonObject): Iterable<[string, unknown]> {
  for (const name of Object.keys(object)) {
    if (name !== 'data' && name !== 'data_base64' && name !== 'specversion') yield [name, object[name]];
  }
}

function parseBody(body: Buffer): unknown {
  if (body.length === 0) throw malformed('The body is empty.');
  if (!isUtf8(body)) throw malformed('The body is not UTF-8.');
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    throw malformed(`The body is not JSON: ${(error as SyntaxError).message}`);
  }
}

function scan<T>(scanBody: () => T): T {
  try {
    return scanBody();
  } catch (error) {
    if (error instanceof JsonStructureError) throw malformed(error.message);
    throw error;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(detail: string): Problem {
  return new Problem('malformed_request', detail);
}
