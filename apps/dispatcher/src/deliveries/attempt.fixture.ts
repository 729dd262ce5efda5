import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Catalogue, type CompiledSubscription, type ConfigSource } from '@quittance/catalog';
import {
  API_VERSION,
  encodeConfigChange,
  namespaceSpec,
  type ConfigChange,
  type IncomingRecord,
  type SubscriptionResource,
  type SubscriptionSecrets,
} from '@quittance/contracts';
import { generateSigningSecret, SecretBox } from '@quittance/webhooks';
import { subscriptionWith } from '../guards/guard.fixture.js';

export const box = new SecretBox([Buffer.alloc(32, 7).toString('base64')]);

export function seal(secret: string): string {
  return box.seal(secret, 'Subscription/uid-1');
}

/** A subscription with keys that open. */
export function sealedSubscription(
  secrets: Partial<SubscriptionSecrets> = {},
  asymmetric = false,
): SubscriptionResource {
  const { resource } = subscriptionWith();
  const signing = [seal(generateSigningSecret())];
  return {
    ...resource,
    spec: { ...resource.spec, signing: { asymmetric } },
    secrets: { signing, former: [], formerAsymmetric: [], ...secrets },
  };
}

/** @param urls the first, and its fallbacks */
export function subscriptionAt(urls: readonly string[], timeoutMs = 5000): CompiledSubscription {
  const resource = sealedSubscription();
  const [url = '', ...fallbackUrls] = urls;
  const webhook = { ...resource.spec.destination.webhook, url, fallbackUrls };
  return {
    ...subscriptionWith(),
    timeoutMs,
    resource: { ...resource, spec: { ...resource.spec, destination: { webhook } } },
  };
}

/** The catalogue of an installation whose namespace `shop` has these egress rules. */
export async function catalogueWith(egress: Record<string, unknown> = {}): Promise<Catalogue> {
  const at = '2026-01-01T00:00:00Z';
  const changes: ConfigChange[] = [
    {
      change: 'put',
      resource: {
        apiVersion: API_VERSION,
        kind: 'Namespace',
        metadata: {
          name: 'shop',
          namespace: 'shop',
          uid: 'uid-shop',
          labels: {},
          annotations: {},
          generation: 1,
          resourceVersion: '1',
          createdAt: at,
          updatedAt: at,
        },
        spec: namespaceSpec.parse({ egress }),
      },
    },
    { change: 'snapshot', at },
  ];
  const source: ConfigSource = {
    confirmedAt: Infinity,
    alive: true,
    start: async (onRecord) => changes.forEach((change, offset) => onRecord(recordOf(change, offset))),
    close: async () => {},
  };
  const catalogue = new Catalogue({ source, stalenessMs: 1000, ladder: [], compileSchemas: false });
  await catalogue.start();
  return catalogue;
}

function recordOf(change: ConfigChange, offset: number): IncomingRecord {
  const { topic, key, value } = encodeConfigChange('config.v1', change);
  const record = { topic, partition: 0, offset: BigInt(offset), timestamp: 0, value, headers: {} };
  return { ...record, key: key === null ? null : Buffer.from(key) };
}

/** A receiver of the test's own. */
export interface TestEndpoint {
  url: string;
  /** What came, in order. */
  seen: IncomingHttpHeaders[];
  /** How it answers: until it is changed, with 200. */
  answer: (response: ServerResponse) => void;
  close(): Promise<void>;
}

export async function openEndpoint(): Promise<TestEndpoint> {
  const server = createServer((request, response) => {
    endpoint.seen.push(request.headers);
    request.resume();
    request.on('end', () => endpoint.answer(response));
  });
  const endpoint: TestEndpoint = {
    url: '',
    seen: [],
    answer: (response) => response.end(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return endpoint;
}
