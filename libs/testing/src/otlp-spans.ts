import { protobufFields, toDouble, type ProtobufField } from './protobuf-reader.js';

export type AttributeValue = string | number | boolean | AttributeValue[] | undefined;
export type SpanAttributes = Record<string, AttributeValue>;

/** A span as it was exported. */
export interface ReceivedSpan {
  /** Hex. */
  traceId: string;
  /** Hex. */
  spanId: string;
  /** Hex; `undefined` for a root. */
  parentSpanId: string | undefined;
  name: string;
  kind: 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** `service.name` of the resource. */
  service: string | undefined;
  attributes: SpanAttributes;
  links: { traceId: string; spanId: string }[];
  status: 'unset' | 'ok' | 'error';
  /** Nanoseconds since the epoch. */
  startTime: bigint;
  endTime: bigint;
}

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const STATUSES = ['unset', 'ok', 'error'] as const;

/** Decodes an OTLP `ExportTraceServiceRequest`. Field numbers are those of opentelemetry-proto 1.x. */
export function decodeSpans(request: Buffer): ReceivedSpan[] {
  return messages(request, 1).flatMap((resourceSpans) => {
    const resource = messages(resourceSpans, 1)[0];
    const service = resource ? attributesOf(resource, 1)['service.name'] : undefined;
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => decodeSpan(span, typeof service === 'string' ? service : undefined));
  });
}

function decodeSpan(message: Buffer, service: string | undefined): ReceivedSpan {
  const field = fieldsOf(message);
  const status = bytes(field, 15);
  return {
    traceId: bytes(field, 1).toString('hex'),
    spanId: bytes(field, 2).toString('hex'),
    parentSpanId: bytes(field, 4).toString('hex') || undefined,
    name: bytes(field, 5).toString(),
    kind: KINDS[Number(integer(field, 6))] ?? 'unspecified',
    service,
    attributes: attributesOf(message, 9),
    links: messages(message, 13).map((link) => {
      const of = fieldsOf(link);
      return { traceId: bytes(of, 1).toString('hex'), spanId: bytes(of, 2).toString('hex') };
    }),
    status: STATUSES[Number(integer(fieldsOf(status), 3))] ?? 'unset',
    startTime: integer(field, 7),
    endTime: integer(field, 8),
  };
}

function attributesOf(message: Buffer, number: number): SpanAttributes {
  return Object.fromEntries(
    messages(message, number).map((keyValue) => {
      const field = fieldsOf(keyValue);
      return [bytes(field, 1).toString(), anyValue(bytes(field, 2))];
    }),
  );
}

function anyValue(message: Buffer): AttributeValue {
  for (const field of protobufFields(message)) {
    if (field.number === 1 && field.kind === 'bytes') return field.value.toString();
    if (field.number === 2 && field.kind === 'varint') return field.value === 1n;
    if (field.number === 3 && field.kind === 'varint') return Number(BigInt.asIntN(64, field.value));
    if (field.number === 4 && field.kind === 'fixed64') return toDouble(field.value);
    if (field.number === 5 && field.kind === 'bytes') return messages(field.value, 1).map(anyValue);
  }
  return undefined;
}

/** The nested messages of one repeated field. */
function messages(message: Buffer, number: number): Buffer[] {
  const found: Buffer[] = [];
  for (const field of protobufFields(message)) {
    if (field.number === number && field.kind === 'bytes') found.push(field.value);
  }
  return found;
}

/** By number; of a repeated field the last one. */
function fieldsOf(message: Buffer): Map<number, ProtobufField> {
  return new Map([...protobufFields(message)].map((field) => [field.number, field]));
}

function bytes(fields: Map<number, ProtobufField>, number: number): Buffer {
  const field = fields.get(number);
  return field?.kind === 'bytes' ? field.value : Buffer.alloc(0);
}

function integer(fields: Map<number, ProtobufField>, number: number): bigint {
  const field = fields.get(number);
  return field && field.kind !== 'bytes' ? field.value : 0n;
}
