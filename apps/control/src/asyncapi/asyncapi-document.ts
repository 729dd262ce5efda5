import type { JsonSchema } from '@quittance/catalog';
import type { Deprecation, EventTypeSpec, EventTypeVersion } from '@quittance/contracts';
import { escaped, holdsReference, payloadSchema } from './payload-schema.js';

/** What of a stored event type the document is made of. */
export interface DescribedType {
  name: string;
  spec: EventTypeSpec;
  resourceVersion: string;
}

export interface AsyncApiMessage {
  name: string;
  title: string;
  summary?: string;
  contentType: string;
  headers: object;
  payload: Record<string, unknown>;
  examples?: { name: string; payload: unknown }[];
  tags?: { name: string; description: string }[];
  traits: { $ref: string }[];
  'x-schemaversion'?: string;
  'x-deprecation'?: Deprecation;
}

export interface AsyncApiOperation {
  action: 'receive';
  title: string;
  channel: { $ref: string };
  /** In the order of the versions, the last one is the one that counts where an event names none. */
  messages: { $ref: string }[];
  bindings: object;
}

export interface AsyncApiDocument {
  asyncapi: '3.0.0';
  info: { title: string; version: string; description: string };
  defaultContentType: string;
  servers: Record<string, object>;
  channels: Record<
    string,
    { address: string; description?: string; messages: Record<string, AsyncApiMessage> }
  >;
  operations: Record<string, AsyncApiOperation>;
  components: object;
}

/** Where and for whom. */
export interface DocumentContext {
  namespace: string;
  /** Where ingest is reached. */
  ingestUrl: string;
}

const JSON_TYPE = 'application/json';
/** The only message of a type without versions. */
export const UNVERSIONED = 'any';

/** A namespace's event types as an AsyncAPI 3.0.0 document: a channel for each type, a message for each version. */
export function asyncApiDocument(
  types: readonly DescribedType[],
  context: DocumentContext,
): AsyncApiDocument {
  const { protocol, host } = new URL(context.ingestUrl);
  const latest = types.reduce((last, { resourceVersion }) => {
    const version = BigInt(resourceVersion);
    return version > last ? version : last;
  }, 0n);
  return {
    asyncapi: '3.0.0',
    info: {
      title: `Events of the namespace ${context.namespace}`,
      version: String(latest),
      description:
        'The events that publishers send to Quittance. A message’s payload is the event’s data; the headers are the CloudEvent’s attributes in binary mode. The version of this document is that of the event type that changed last.',
    },
    defaultContentType: JSON_TYPE,
    servers: {
      ingest: {
        host,
        protocol: protocol.slice(0, -1),
        description: 'Takes events in.',
        security: [{ $ref: '#/components/securitySchemes/key' }],
      },
    },
    channels: Object.fromEntries(
      types.map((type) => [
        type.name,
        {
          address: '/v1/events',
          ...(type.spec.description !== '' && { description: type.spec.description }),
          messages: messagesOf(type),
        },
      ]),
    ),
    operations: Object.fromEntries(types.map((type) => [`publish-${type.name}`, operationOf(type)])),
    components: COMPONENTS,
  };
}

function operationOf({ name, spec }: DescribedType): AsyncApiOperation {
  const channel = `#/channels/${escaped(name)}`;
  const versions = spec.versions.map(({ version }) => version);
  return {
    action: 'receive',
    title: `Publish ${name}`,
    channel: { $ref: channel },
    messages: (versions.length === 0 ? [UNVERSIONED] : versions).map((version) => ({
      $ref: `${channel}/messages/${escaped(version)}`,
    })),
    bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } },
  };
}

/** Of one type, in the order of its versions: members of an object have an order of their own. */
export function orderedMessages({ channels, operations }: AsyncApiDocument, name: string): AsyncApiMessage[] {
  const messages = channels[name]?.messages ?? {};
  return (operations[`publish-${name}`]?.messages ?? []).flatMap(({ $ref }) => {
    const message = messages[decodeURIComponent($ref.slice($ref.lastIndexOf('/') + 1))];
    return message ? [message] : [];
  });
}

function messagesOf({ name, spec }: DescribedType): Record<string, AsyncApiMessage> {
  if (spec.versions.length === 0) {
    return {
      [UNVERSIONED]: {
        ...messageBase(name, spec.deprecated),
        title: name,
        summary: 'Any data is accepted.',
        headers: headersOf(name),
        payload: {},
      },
    };
  }
  return Object.fromEntries(
    spec.versions.map((version) => [
      version.version,
      messageOf(name, version, version.deprecated ?? spec.deprecated),
    ]),
  );
}

function messageOf(
  name: string,
  { version, schema, examples }: EventTypeVersion,
  deprecated: Deprecation | undefined,
): AsyncApiMessage {
  const pointer = `#/channels/${escaped(name)}/messages/${escaped(version)}/payload`;
  const payload = objectOf(payloadSchema(schema, pointer));
  const shown = examples.filter((example) => !holdsReference(example));
  return {
    ...messageBase(name, deprecated),
    title: `${name}, version ${version}`,
    headers: headersOf(name, version),
    payload: deprecated ? { ...payload, deprecated: true } : payload,
    ...(shown.length > 0 && {
      examples: shown.map((example, index) => ({ name: `example-${index + 1}`, payload: example })),
    }),
    'x-schemaversion': version,
  };
}

/** The document wants an object where JSON Schema allows `true` and `false`. */
function objectOf(schema: JsonSchema): Record<string, unknown> {
  if (typeof schema === 'object') return { ...schema };
  return schema ? {} : { not: {} };
}

function messageBase(name: string, deprecated: Deprecation | undefined) {
  return {
    name,
    contentType: JSON_TYPE,
    traits: [{ $ref: '#/components/messageTraits/cloudEvent' }],
    ...(deprecated && {
      tags: [{ name: 'deprecated', description: deprecated.message || 'On its way out.' }],
      'x-deprecation': deprecated,
    }),
  };
}

/** What sets this message’s headers apart from all others’. */
function headersOf(type: string, version?: string): object {
  return {
    type: 'object',
    properties: {
      'ce-type': { type: 'string', const: type },
      ...(version !== undefined && {
        'ce-schemaversion': {
          type: 'string',
          const: version,
          description: 'The version of the schema; left out, the last one counts.',
        },
      }),
    },
  };
}

const COMPONENTS = {
  messageTraits: {
    cloudEvent: {
      headers: {
        type: 'object',
        required: ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'],
        properties: {
          'ce-specversion': { type: 'string', const: '1.0' },
          'ce-id': {
            type: 'string',
            minLength: 1,
            description: 'The same event has the same id and source.',
          },
          'ce-source': { type: 'string', minLength: 1, format: 'uri-reference' },
          'ce-time': { type: 'string', format: 'date-time' },
          'ce-subject': { type: 'string', minLength: 1 },
          'ce-partitionkey': {
            type: 'string',
            description: 'Events of one key are kept on one partition.',
          },
        },
      },
    },
  },
  securitySchemes: {
    key: {
      type: 'http',
      scheme: 'bearer',
      description: 'An API key with the scope "publish".',
    },
  },
};
