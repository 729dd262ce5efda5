import { generateApiKey } from '@quittance/catalog';
import {
  API_VERSION,
  apiKeySpec,
  eventTypeSpec,
  namespaceSpec,
  sourceSpec,
  type ApiKeyResource,
  type ConfigChange,
  type Metadata,
  type Resource,
} from '@quittance/contracts';
import { SecretBox } from '@quittance/webhooks';

export const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');
const box = new SecretBox([MASTER_KEY]);

type Spec = Record<string, unknown>;

function metadataOf(namespace: string, name: string): Metadata {
  const at = new Date(0).toISOString();
  return {
    name,
    namespace,
    uid: `${namespace}-${name}`,
    labels: {},
    annotations: {},
    generation: 1,
    resourceVersion: '1',
    createdAt: at,
    updatedAt: at,
  };
}

function put(resource: Resource): ConfigChange {
  return { change: 'put', resource };
}

/** @param spec as a client writes it */
export function namespaceOf(name: string, spec: Spec): ConfigChange {
  const metadata = metadataOf(name, name);
  return put({ apiVersion: API_VERSION, kind: 'Namespace', metadata, spec: namespaceSpec.parse(spec) });
}

/** @param spec as a client writes it */
export function eventTypeOf(name: string, spec: Spec = {}, namespace = 'shop'): ConfigChange {
  return put({
    apiVersion: API_VERSION,
    kind: 'EventType',
    metadata: metadataOf(namespace, name),
    spec: eventTypeSpec.parse(spec),
  });
}

/** @param sealFor another uid than the source’s makes secrets that do not open */
export function sourceOf(
  name: string,
  spec: Spec,
  secrets: { verify?: string[]; handshakeToken?: string } = {},
  sealFor = `shop-${name}`,
): ConfigChange {
  const seal = (secret: string): string => box.seal(secret, `Source/${sealFor}`);
  return put({
    apiVersion: API_VERSION,
    kind: 'Source',
    metadata: metadataOf('shop', name),
    spec: sourceSpec.parse(spec),
    secrets: {
      verify: (secrets.verify ?? []).map(seal),
      ...(secrets.handshakeToken !== undefined && { handshakeToken: seal(secrets.handshakeToken) }),
    },
  });
}

/** An API key of the namespace `shop`, and what it is sent as. */
export function apiKeyOf(
  name: string,
  spec: Spec,
  status: ApiKeyResource['status'] = {},
): { key: string; change: ConfigChange } {
  const { key, credential } = generateApiKey();
  const change = put({
    apiVersion: API_VERSION,
    kind: 'ApiKey',
    metadata: metadataOf('shop', name),
    spec: apiKeySpec.parse(spec),
    status,
    credential,
    former: [],
  });
  return { key, change };
}
