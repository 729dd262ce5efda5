import { Problem, type SourceSpec } from '@quittance/contracts';
import { MAX_BODY_BYTES } from '@quittance/service';
import type { IncomingHttpHeaders } from 'node:http';
import { EventError } from '../publishing/event-error.js';
import { isJsonMediaType, parseData } from '../publishing/received-event.js';
import { readForm, type FormFields } from './form-body.js';

/** The body of an inbound request, as it is read and as it is published. */
export interface InboundBody {
  /** What is published; `null` when there is nothing. */
  data: Buffer | null;
  /** Of `data`. */
  contentType: string;
  /** The value of `data`, when it is JSON; `undefined` otherwise. */
  value: unknown;
  /** Expressions see its text, not its value. */
  isRaw: boolean;
}

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const UNKNOWN_TYPE = 'application/octet-stream';
/** These send forms with one field that counts. */
const PAYLOAD_SENDERS: ReadonlySet<SourceSpec['verify']['type']> = new Set(['github', 'slack']);

/** @throws Problem `malformed_request`, `payload_too_large` */
export function readBody(spec: SourceSpec, headers: IncomingHttpHeaders, raw: Buffer): InboundBody {
  const contentType = headers['content-type'] ?? UNKNOWN_TYPE;
  switch (spec.body === 'auto' ? kindOf(contentType) : spec.body) {
    case 'json':
      return readJson(raw);
    case 'form':
      return readFields(raw, PAYLOAD_SENDERS.has(spec.verify.type));
    case 'raw':
      return readRaw(raw, contentType);
  }
}

function kindOf(contentType: string): 'json' | 'form' | 'raw' {
  if (isJsonMediaType(contentType)) return 'json';
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  return mediaType === FORM_TYPE ? 'form' : 'raw';
}

function readJson(raw: Buffer): InboundBody {
  const value = parse(raw);
  return { data: raw, contentType: JSON_TYPE, value, isRaw: false };
}

function readFields(raw: Buffer, mayHavePayload: boolean): InboundBody {
  const fields = readForm(raw);
  const payload = mayHavePayload ? payloadOf(fields) : undefined;
  if (payload) return readJson(payload);
  const data = Buffer.from(JSON.stringify(fields));
  if (data.length > MAX_BODY_BYTES) {
    throw new Problem('payload_too_large', `As JSON the form has more than ${MAX_BODY_BYTES} bytes.`);
  }
  return { data, contentType: JSON_TYPE, value: fields, isRaw: false };
}

/** The field `payload`, if it is there once and is JSON. */
function payloadOf({ payload }: FormFields): Buffer | undefined {
  if (typeof payload !== 'string') return undefined;
  try {
    JSON.parse(payload);
  } catch {
    return undefined;
  }
  return Buffer.from(payload);
}

/** What says that it is JSON must be JSON all the same: it is passed on inside other JSON. */
function readRaw(raw: Buffer, contentType: string): InboundBody {
  if (raw.length === 0) return { data: null, contentType, value: undefined, isRaw: true };
  const value = isJsonMediaType(contentType) ? parse(raw) : undefined;
  return { data: raw, contentType, value, isRaw: true };
}

function parse(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new Problem('malformed_request', 'The body is empty; it should be JSON.');
  try {
    return parseData(bytes);
  } catch (error) {
    if (!(error instanceof EventError)) throw error;
    throw new Problem('malformed_request', `The body cannot be read: ${error.message}.`);
  }
}
