import {
  createReceiver,
  createTestFolder,
  startServices,
  waitUntil,
  type ApiClient,
  type Receiver,
  type TestFolder,
  type TestInstallation,
} from '@quittance/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allIn, storyOf } from '../stories.js';
import { installSchemathesis, runSchemathesis, SEED } from './schemathesis.js';

const HANDSHAKE_TOKEN = 'the-handshake-token';
/** A service's requests stay in a namespace of its own, so that the three can be asked at once. */
const NAMESPACES = { ingest: 'intake', control: 'shop', audit: 'ledger' } as const;

let quittance: TestInstallation;
let receiver: Receiver;
let folder: TestFolder;

beforeAll(async () => {
  await installSchemathesis();
  receiver = await createReceiver();
  folder = await createTestFolder('schemathesis');
  quittance = await startServices();
  // Types that are not in the catalogue are accepted there, so that events of any name are.
  await quittance.client(NAMESPACES.ingest).putNamespace({ catalog: { policy: 'open' } });
  for (const namespace of Object.values(NAMESPACES)) await furnish(quittance.client(namespace));
});

afterAll(async () => {
  await quittance?.stopAll();
  await receiver?.close();
  await folder?.remove();
});

/** Something of each kind, for requests that need it: `schemathesis.toml` knows the names. */
async function furnish(client: ApiClient): Promise<void> {
  const eventType = await client.request('PUT', client.controlUrl('event-types/order.completed'), {
    body: { spec: { versions: [{ version: '1', schema: true, examples: [{ total: 120.5 }] }] } },
  });
  expect(eventType.status).toBe(201);
  await client.putSubscription('mail', {
    events: ['order.*'],
    destination: { webhook: { url: receiver.url } },
  });
  const handshake = { hub: true, cloudEvents: { allowedOrigins: ['*'] } };
  const verify = { type: 'none' };
  const secrets = { handshakeToken: HANDSHAKE_TOKEN };
  await client.putSource('forms', { verify, type: { value: 'order.completed' }, handshake }, secrets);
  await client.putSource('hooks', { verify, handshake }, secrets);
  await client.putApiKey('rotated');
  await client.putApiKey('revoked');
  await client.publish({ type: 'order.completed', id: 'order-1', data: { total: 120.5 } });
  await storyOf(client, 'order-1', allIn('delivered'));
  const refused = await client.request('POST', `${quittance.ingest.url}/v1/events`, { body: { type: '' } });
  expect(refused.status).toBe(400);
  await waitUntil(
    async () => {
      const { body } = await client.request('GET', client.auditUrl('rejections'));
      return (body as { items: unknown[] }).items.length > 0;
    },
    { what: 'the rejection to be recorded' },
  );
}

describe.concurrent(
  `Schemathesis with the seed ${SEED} finds no difference between service and document`,
  () => {
    for (const service of ['ingest', 'control', 'audit'] as const) {
      it(`of ${service}`, async () => {
        const report = await runSchemathesis(quittance.service(service).url, folder.path, {
          QUITTANCE_KEY: quittance.adminKey,
          QUITTANCE_NAMESPACE: NAMESPACES[service],
          QUITTANCE_HANDSHAKE_TOKEN: HANDSHAKE_TOKEN,
          QUITTANCE_RECEIVER: receiver.url,
          QUITTANCE_LADDER: quittance.ladder,
        });
        process.stdout.write(report);
        // That it has tested something at all.
        expect(report).toMatch(/[1-9]\d{2,} generated/);
      });
    }
  },
);
