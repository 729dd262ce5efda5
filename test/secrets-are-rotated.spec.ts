import { createPublicKey, verify } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  waitUntil,
  type ApiClient,
  type ReceivedRequest,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';

const DAY_MS = 86_400_000;
/** What stands before the 32 bytes of an ed25519 public key in DER (RFC 8410). */
const ED25519_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

let quittance: TestInstallation;
let receiver: Receiver;
let client: ApiClient;

beforeAll(async () => {
  quittance = await startServices();
  receiver = await createReceiver();
  client = quittance.client();
  await client.putEventType('order.completed');
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

async function subscribe(name: string, signing: Record<string, unknown> = {}): Promise<string> {
  await client.putSubscription(name, {
    events: ['order.completed'],
    destination: { webhook: { url: `${receiver.url}/${name}` } },
    signing,
  });
  return client.secret(name);
}

interface Rotation {
  secret: string;
  publicKey?: string;
  former: { validUntil: string }[];
}

/** @param body by default none of it: the overlap is the usual one */
async function rotate(name: string, body: object = {}): Promise<Rotation> {
  const url = client.controlUrl(`subscriptions/${name}/secret/rotate`);
  const answer = await client.request('POST', url, { body });
  expect(answer.status).toBe(200);
  return answer.body as Rotation;
}

async function publicKeys(name: string): Promise<{ publicKey: string; validUntil?: string }[]> {
  const answer = await client.request('GET', client.controlUrl(`subscriptions/${name}/public-keys`));
  expect(answer.status).toBe(200);
  return (answer.body as { keys: { publicKey: string; validUntil?: string }[] }).keys;
}

/** The request that brings a new event to the subscription. */
async function delivered(name: string): Promise<ReceivedRequest> {
  const matching = ({ path }: ReceivedRequest): boolean => path.endsWith(`/${name}`);
  const before = receiver.requests.filter(matching).length;
  await client.publish({ type: 'order.completed', data: { total: 120.5 } });
  const requests = await receiver.waitFor(before + 1, { matching });
  return requests[before]!;
}

/** All of a kind, as they stand in the header, with their kind. */
function signatures({ headers }: ReceivedRequest, kind: 'v1' | 'v1a'): string[] {
  const all = String(headers['webhook-signature']).split(' ');
  return all.filter((signature) => signature.startsWith(`${kind},`));
}

/** As a receiver does it. @param signature one of those in the header; left out: the whole header */
function verified(request: ReceivedRequest, secret: string, signature?: string): unknown {
  const headers = { ...(request.headers as Record<string, string>) };
  if (signature !== undefined) headers['webhook-signature'] = signature;
  return new Webhook(secret).verify(request.body.toString(), headers);
}

/** @param publicKey `whpk_…` @param body what is said to have been signed */
function isSignedBy(
  publicKey: string,
  signature: string,
  request: ReceivedRequest,
  body = request.body,
): boolean {
  const key = Buffer.from(publicKey.slice('whpk_'.length), 'base64');
  const { 'webhook-id': id, 'webhook-timestamp': time } = request.headers;
  const content = Buffer.concat([Buffer.from(`${String(id)}.${String(time)}.`), body]);
  return verify(
    null,
    content,
    createPublicKey({ key: Buffer.concat([ED25519_HEAD, key]), format: 'der', type: 'spki' }),
    Buffer.from(signature.slice('v1a,'.length), 'base64'),
  );
}

describe('a secret that is rotated', () => {
  it('signs beside the new one for a day: a receiver verifies with whichever it has', async () => {
    const former = await subscribe('symmetric');
    const alone = await delivered('symmetric');
    expect(signatures(alone, 'v1')).toHaveLength(1);
    verified(alone, former);

    const { secret, former: kept } = await rotate('symmetric');
    expect(secret).not.toBe(former);
    expect(await client.secret('symmetric')).toBe(secret);
    expect(Math.abs(Date.parse(kept[0]!.validUntil) - Date.now() - DAY_MS)).toBeLessThan(60_000);
    const request = await delivered('symmetric');
    expect(verified(request, secret)).toMatchObject({ type: 'order.completed', data: { total: 120.5 } });
    expect(verified(request, former)).toMatchObject({ type: 'order.completed', data: { total: 120.5 } });
    const [first, second, ...more] = signatures(request, 'v1');
    expect(more).toEqual([]);
    verified(request, secret, first);
    verified(request, former, second);
    expect(() => verified(request, former, first)).toThrow(/signature/i);
    expect(() => verified(request, secret, second)).toThrow(/signature/i);
    expect(signatures(request, 'v1a')).toEqual([]);
    await client.deleteSubscription('symmetric');
  });

  it('signs no more once its overlap is over', async () => {
    const former = await subscribe('brief');
    const { secret } = await rotate('brief', { overlap: '1s' });
    const request = await waitUntil(
      async () => {
        const next = await delivered('brief');
        return signatures(next, 'v1').length === 1 ? next : undefined;
      },
      { what: 'a request that the former secret did not sign' },
    );
    verified(request, secret);
    expect(() => verified(request, former)).toThrow(/signature/i);
    await client.deleteSubscription('brief');
  });

  it('has its key pair rotated with it: either public key verifies, and so do both secrets', async () => {
    const former = await subscribe('asymmetric', { asymmetric: true });
    const [before, ...others] = await publicKeys('asymmetric');
    expect(others).toEqual([]);
    const alone = await delivered('asymmetric');
    verified(alone, former);
    expect(signatures(alone, 'v1a')).toHaveLength(1);
    expect(isSignedBy(before!.publicKey, signatures(alone, 'v1a')[0]!, alone)).toBe(true);

    const { secret, publicKey } = await rotate('asymmetric');
    const keys = await publicKeys('asymmetric');
    expect(keys.map((key) => key.publicKey)).toEqual([publicKey, before!.publicKey]);
    expect(keys[0]).not.toHaveProperty('validUntil');
    expect(Math.abs(Date.parse(keys[1]!.validUntil!) - Date.now() - DAY_MS)).toBeLessThan(60_000);
    const request = await delivered('asymmetric');
    verified(request, secret);
    verified(request, former);
    const [first, second, ...more] = signatures(request, 'v1a');
    expect(more).toEqual([]);
    expect(isSignedBy(publicKey!, first!, request)).toBe(true);
    expect(isSignedBy(before!.publicKey, second!, request)).toBe(true);
    expect(isSignedBy(before!.publicKey, first!, request)).toBe(false);
    const forged = Buffer.from(request.body.toString().replace('120.5', '1.5'));
    expect(isSignedBy(publicKey!, first!, request, forged)).toBe(false);
    await client.deleteSubscription('asymmetric');
  });
});
