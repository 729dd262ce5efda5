import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaClient, readTopic } from '@quittance/kafka';
import {
  createReceiver,
  startServices,
  waitUntil,
  type ApiClient,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';

const PARTITIONS = 12;
/** The default of `limits.eventPartitions`. */
const SPREAD = 3;
const NOISE = 10_000;
const BATCH = 500;

let quittance: TestInstallation;
let receiver: Receiver;

beforeAll(async () => {
  quittance = await startServices({ topics: { QUITTANCE_EVENTS_PARTITIONS: PARTITIONS } });
  receiver = await createReceiver();
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

async function publishMany(client: ApiClient, from: number, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += BATCH) {
    const events = Array.from({ length: Math.min(BATCH, count - sent) }, (_, n) => ({
      specversion: '1.0',
      id: `e${from + sent + n}`,
      source: '/test',
      type: 'tick',
      data: { n: from + sent + n },
    }));
    const answer = await client.request('POST', `${quittance.ingest.url}/v1/events`, {
      body: JSON.stringify(events),
      headers: { 'content-type': 'application/cloudevents-batch+json' },
    });
    expect(answer.status).toBe(202);
  }
}

async function team(name: string): Promise<ApiClient> {
  const client = quittance.client(name);
  await client.putEventType('tick');
  await client.putSubscription('all', {
    events: ['tick'],
    destination: { webhook: { url: `${receiver.url}/${name}` } },
  });
  return client;
}

/** On which partitions of `events.v1` the events of each namespace stand. */
async function partitionsByNamespace(): Promise<Map<string, Set<number>>> {
  const kafka = new KafkaClient({ brokers: [quittance.kafkaBrokers], clientId: 'noise-test' });
  const found = new Map<string, Set<number>>();
  for (const { headers, partition } of await readTopic(kafka, `${quittance.topicPrefix}events.v1`)) {
    const namespace = String(headers['quittance-namespace']);
    found.set(namespace, (found.get(namespace) ?? new Set()).add(partition));
  }
  return found;
}

describe('a namespace that publishes far more than is routed', () => {
  it('stands before few others: their events are routed while its backlog is still there', async () => {
    const names = Array.from({ length: 6 }, (_, n) => `team-${n}`);
    const teams = new Map<string, ApiClient>();
    for (const name of names) {
      const client = await team(name);
      teams.set(name, client);
      await publishMany(client, 0, 60);
    }
    const partitions = await partitionsByNamespace();
    for (const name of names) expect([name, partitions.get(name)!.size]).toEqual([name, SPREAD]);
    const [noisy, quiet] = names
      .flatMap((a) => names.map((b) => [a, b] as const))
      .find(([a, b]) => ![...partitions.get(a)!].some((one) => partitions.get(b)!.has(one)))!;

    await quittance.router.stop();
    const before = receiver.requests.length;
    await publishMany(teams.get(noisy)!, 1000, NOISE);
    await publishMany(teams.get(quiet)!, 1000, 50);
    await quittance.router.start();

    const of = (name: string): number =>
      receiver.requests.slice(before).filter(({ path }) => path.endsWith(`/${name}`)).length;
    await waitUntil(() => of(quiet) >= 50, { what: "the quiet namespace's events" });
    // All of the noise was published before them.
    expect(of(noisy)).toBeLessThan(NOISE * 0.8);
  });
});
