import type { CompiledSource, SourceRequest, SourceText } from '@quittance/catalog';
import { eventIdOfUnsignedDelivery, Problem } from '@quittance/contracts';
import { providerFacts, type ProviderFacts } from '@quittance/webhooks';
import type { IncomingHttpHeaders } from 'node:http';
import { uuidv7 } from 'uuidv7';
import { toAttributes } from '../publishing/attributes.js';
import { EventError } from '../publishing/event-error.js';
import type { ReceivedEvent } from '../publishing/received-event.js';
import type { InboundBody } from './inbound-body.js';

/** A verified request to a source. */
export interface InboundDelivery {
  source: CompiledSource;
  headers: IncomingHttpHeaders;
  query: Readonly<Record<string, string | string[]>>;
  /** The event type that the path names. */
  pathType: string | undefined;
  rawBody: Buffer;
  body: InboundBody;
}

/**
 * Tells type and id of the event that a request carries.
 * @throws Problem `event_type_missing`, `event_not_derived`, `unsupported_media_type`
 */
export function toEvent(delivery: InboundDelivery): ReceivedEvent {
  const { source, headers, body } = delivery;
  const { metadata, spec } = source.resource;
  const needsFacts = !source.id || (!source.type && delivery.pathType === undefined);
  const facts = needsFacts ? providerFacts(spec.verify, headers, body.value) : {};
  const request = source.type || source.id ? seenRequest(delivery) : undefined;
  const given: [string, unknown][] = [
    ['id', idOf(delivery, facts, request)],
    ['source', `/namespaces/${metadata.namespace}/sources/${metadata.name}`],
    ['type', typeOf(delivery, facts, request)],
  ];
  if (body.data) given.push(['datacontenttype', body.contentType]);
  try {
    return {
      attributes: toAttributes(given, { id: () => undefined }),
      data: body.data,
      value: body.value,
    };
  } catch (error) {
    if (!(error instanceof EventError)) throw error;
    throw toProblem(error);
  }
}

function typeOf(
  { source, pathType }: InboundDelivery,
  facts: ProviderFacts,
  request: SourceRequest | undefined,
): string {
  if (source.type && request) return textOf(source.type(request));
  const type = pathType ?? facts.type;
  if (type !== undefined) return type;
  throw new Problem(
    'event_type_missing',
    'Nothing says which event type this is: name it in the path, or set "type" of the source.',
  );
}

function idOf(
  { source, rawBody }: InboundDelivery,
  { deliveryId }: ProviderFacts,
  request: SourceRequest | undefined,
): string {
  if (source.id && request) return textOf(source.id(request));
  if (!deliveryId) return uuidv7();
  if (deliveryId.signed) return deliveryId.value;
  return eventIdOfUnsignedDelivery(source.resource.metadata.uid, deliveryId.value, rawBody);
}

function textOf(text: SourceText): string {
  if (text.ok) return text.value;
  throw new Problem('event_not_derived', text.reason);
}

/** As expressions see it. */
function seenRequest({ headers, query, rawBody, body }: InboundDelivery): SourceRequest {
  const texts: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value !== undefined) texts[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const seen = body.isRaw ? (body.data?.toString() ?? null) : body.value;
  return { headers: texts, body: seen, query, bodyBytes: rawBody.length };
}

function toProblem({ violations }: EventError): Problem {
  const [first] = violations;
  const isMediaType = first?.path === '/datacontenttype';
  return new Problem(
    isMediaType ? 'unsupported_media_type' : 'event_not_derived',
    `What the request says cannot be used: ${first?.message ?? ''}.`,
    { errors: violations },
  );
}
