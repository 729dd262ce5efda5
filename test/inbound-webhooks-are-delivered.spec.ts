import { KafkaClient, readTopic } from '@quittance/kafka';
import {
  createReceiver,
  startServices,
  waitUntil,
  type ApiClient,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nowSeconds, pathOf, SENDERS, type Sender } from '../apps/ingest/src/inbound/senders.fixture.js';
import { allIn, storyOf } from './stories.js';

let quittance: TestInstallation;
let receiver: Receiver;
let client: ApiClient;
let kafka: KafkaClient;
let secret: string;
let accepted = 0;

beforeAll(async () => {
  quittance = await startServices();
  receiver = await createReceiver();
  kafka = new KafkaClient({ brokers: [quittance.kafkaBrokers], clientId: 'inbound-test' });
  client = quittance.client();
  await client.putNamespace({ catalog: { policy: 'open' } });
  await client.putSubscription('all', { events: ['*'], destination: { webhook: { url: receiver.url } } });
  secret = await client.secret('all');
  for (const { name, verify, secret: shared } of SENDERS) {
    await client.putSource(name, { verify }, { verify: [shared] });
  }
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

interface Sent {
  body: string | Buffer;
  headers: Record<string, string>;
}

async function signed(sender: Sender, key = sender.secret, seconds = nowSeconds()): Promise<Sent> {
  const proof = await sender.sign(sender.body, key, seconds);
  return { body: sender.body, headers: { ...sender.headers, ...proof } };
}

async function send(sender: Sender, { body, headers }: Sent) {
  const url = `${quittance.ingest.url}/in/${client.namespace}/${pathOf(sender)}`;
  const response = await fetch(url, { method: 'POST', body, headers });
  const text = await response.text();
  const answer = text === '' ? {} : (JSON.parse(text) as { id?: string; code?: string });
  if (response.ok) accepted++;
  return { status: response.status, ...answer };
}

/** What a stranger would try, and how it is refused. */
async function forgeries(sender: Sender): Promise<[Sent, string][]> {
  const right = await signed(sender);
  const tried: [Sent, string][] = [[await signed(sender, sender.otherSecret), 'signature_invalid']];
  const changed = Buffer.from(sender.body);
  changed[changed.length - 2]! ^= 1;
  if (sender.signs.body) tried.push([{ ...right, body: changed }, 'signature_invalid']);
  if (sender.signs.time) {
    tried.push([await signed(sender, sender.secret, nowSeconds() - 3600), 'timestamp_out_of_tolerance']);
  }
  tried.push([{ body: sender.body, headers: sender.headers }, 'signature_missing']);
  return tried;
}

async function rejectionsOf(source: string): Promise<string[]> {
  const { body } = await client.request('GET', client.auditUrl(`rejections?limit=200`));
  const { items } = body as { items: { source?: string; answer: { status: number; code: string } }[] };
  return items.filter((item) => item.source === source).map(({ answer }) => answer.code);
}

describe.each(SENDERS)('a webhook of $name', (sender) => {
  // Slack is answered with nothing: its event has the id of its body.
  it('is delivered once, signed by us', async () => {
    const { status, id } = await send(sender, await signed(sender));
    expect(status).toBeLessThan(300);
    const story = await storyOf(client, id ?? 'Ev1', allIn('delivered'));
    expect(story.type).toBe(sender.type);
    const requests = receiver.requests.filter(
      ({ headers }) => headers['webhook-id'] === story.deliveries[0]?.id,
    );
    expect(requests).toHaveLength(1);
    const [request] = requests;
    const body = request!.body.toString();
    const verified = new Webhook(secret).verify(body, request!.headers as Record<string, string>);
    expect(verified).toMatchObject({ type: sender.type, data: JSON.parse(sender.body) as unknown });
    expect(body).toContain(`"data":${sender.body}`);
  });

  it('by a stranger is refused, and each refusal recorded once', async () => {
    const expected: string[] = [];
    for (const [forged, code] of await forgeries(sender)) {
      expect(await send(sender, forged)).toMatchObject({ status: 401, code });
      expected.push(code);
    }
    const recorded = await waitUntil(
      async () => {
        const codes = await rejectionsOf(sender.name);
        return codes.length >= expected.length ? codes : undefined;
      },
      { what: `${expected.length} rejections of ${sender.name}` },
    );
    // Newest first; those of one millisecond in any order.
    expect(recorded.toSorted()).toEqual(expected.toSorted());
  });
});

describe('a webhook that comes again', () => {
  const sender = SENDERS.find(({ name }) => name === 'github')!;
  const delivery = async (id: string, body: string): Promise<string> => {
    const proof = await sender.sign(body, sender.secret, nowSeconds());
    const headers = { ...sender.headers, ...proof, 'x-github-delivery': id };
    return (await send(sender, { body, headers })).id!;
  };

  it('with the same delivery id and body is delivered once', async () => {
    const first = await delivery('again', sender.body);
    expect(await delivery('again', sender.body)).toBe(first);
    const story = await storyOf(client, first, (told) => told.duplicates === 1 && allIn('delivered')(told));
    const deliveryId = story.deliveries[0]?.id;
    expect(receiver.requests.filter(({ headers }) => headers['webhook-id'] === deliveryId)).toHaveLength(1);
  });

  it('with the same delivery id and another body is another event', async () => {
    const first = await delivery('changed', '{"number":1}');
    const second = await delivery('changed', '{"number":2}');
    expect(second).not.toBe(first);
    for (const id of [first, second]) await storyOf(client, id, allIn('delivered'));
  });
});

it('nothing but what was accepted stands on events.v1', async () => {
  const records = await readTopic(kafka, `${quittance.topicPrefix}events.v1`);
  expect(records).toHaveLength(accepted);
});
