import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  startServices,
  startTestPostgres,
  type ApiClient,
  type TestInstallation,
  type TestPostgres,
} from '@quittance/testing';

// A Postgres of its own: it is stopped.
let postgres: TestPostgres;
let quittance: TestInstallation;
let client: ApiClient;

beforeAll(async () => {
  postgres = await startTestPostgres();
  quittance = await startServices({ apps: ['control', 'ingest'], postgresAdminUrl: postgres.adminUrl });
  client = quittance.client();
  await client.putEventType('order.completed');
});
afterAll(async () => {
  await quittance.stopAll();
  await postgres.remove();
});

const event = { type: 'order.completed', data: {} };

/** The status and problem code that a key gets from ingest. */
async function publishedWith(key: string, ingestUrl = quittance.ingest.url): Promise<unknown> {
  const { status, body } = await client.request('POST', `${ingestUrl}/v1/events`, { key, body: event });
  return status === 202 ? 202 : [status, (body as { code: string }).code];
}

describe('an API key', () => {
  it('works on after its rotation, beside its successor, as soon as that is answered', async () => {
    const first = await client.putApiKey('rotated');
    const second = await client.rotateApiKey('rotated', '1h');
    expect(await publishedWith(second)).toBe(202);
    expect(await publishedWith(first)).toBe(202);
    const third = await client.rotateApiKey('rotated', '0s');
    expect(await publishedWith(third)).toBe(202);
    expect(await publishedWith(first)).toBe(202);
    expect(await publishedWith(second)).toEqual([401, 'unauthenticated']);
  });

  it('that is revoked without the database is refused by every instance once that is answered', async () => {
    const leaked = await client.putApiKey('leaked');
    const other = await client.putApiKey('other');
    const instances = [quittance.ingest, await quittance.addInstance('ingest')];
    for (const { url } of instances) expect(await publishedWith(leaked, url)).toBe(202);

    await postgres.stop();
    await client.revokeApiKey('leaked');
    for (const { url } of instances) {
      expect(await publishedWith(leaked, url)).toEqual([401, 'key_revoked']);
      expect(await publishedWith(other, url)).toBe(202);
    }
    // A load balancer must still send such requests there.
    await quittance.control.ready();
    const answer = await client.request('GET', client.controlUrl('api-keys/leaked'));
    expect(answer.status).toBe(503);
    await postgres.start();
    await quittance.control.ready();
    const restarted = await quittance.addInstance('ingest');
    expect(await publishedWith(leaked, restarted.url)).toEqual([401, 'key_revoked']);
  });
});
