import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIngest, type Ingest } from '../ingest.fixture.js';
import { sourceOf } from '../resources.fixture.js';

const NONE = { type: 'none' };
const SECRET = 'a-secret-of-slack';
const TOKEN = { handshakeToken: 'a-token-of-meta' };
const cloudEvents = { allowedOrigins: ['Events.example.com'], allowedRate: 120 };

let ingest: Ingest;
beforeAll(async () => {
  ingest = await startIngest({
    changes: [
      sourceOf('hub', { verify: NONE, handshake: { hub: true } }, TOKEN),
      sourceOf('tokenless', { verify: NONE, handshake: { hub: true } }),
      sourceOf('events', { verify: NONE, handshake: { cloudEvents } }),
      sourceOf('any', { verify: NONE, handshake: { cloudEvents: { allowedOrigins: ['*'] } } }),
      sourceOf('without', { verify: NONE }, TOKEN),
      sourceOf('slack', { verify: { type: 'slack' } }, { verify: [SECRET] }),
      sourceOf('typed', { verify: NONE, type: { value: 'a' }, handshake: { hub: true } }, TOKEN),
      sourceOf(
        'elsewhere',
        { verify: NONE, allowedCidrs: ['203.0.113.0/24'], handshake: { hub: true, cloudEvents } },
        TOKEN,
      ),
    ],
  });
});
afterAll(() => ingest.close());

async function ask(method: string, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${ingest.baseUrl}/in/shop/${path}`, { method, headers });
  const text = await response.text();
  const isProblem = response.headers.get('content-type') === 'application/problem+json';
  const code = isProblem ? (JSON.parse(text) as Record<string, unknown>)['code'] : undefined;
  return { status: response.status, headers: response.headers, text, code };
}

describe('GET with a hub’s challenge', () => {
  const question = 'hub.mode=subscribe&hub.challenge=1%3Cb%3E2&hub.verify_token=';

  it('is answered with the challenge as text, if the token is the stored one', async () => {
    for (const path of ['hub', 'hub/some.type']) {
      const answer = await ask('GET', `${path}?${question}a-token-of-meta`);
      expect(answer).toMatchObject({ status: 200, text: '1<b>2' });
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it.each([
    ['a wrong token', `hub?${question}a-token-of-metb`, 403, 'handshake_refused'],
    ['a part of the token', `hub?${question}a-token`, 403, 'handshake_refused'],
    ['no token', 'hub?hub.challenge=1', 403, 'handshake_refused'],
    ['the token twice', `hub?${question}a-token-of-meta&hub.verify_token=x`, 403, 'handshake_refused'],
    ['a source without a token', `tokenless?${question}`, 403, 'handshake_refused'],
    ['a source that takes no part', `without?${question}a-token-of-meta`, 403, 'handshake_refused'],
    ['another address', `elsewhere?${question}a-token-of-meta`, 403, 'address_not_allowed'],
    ['no challenge', 'hub?hub.verify_token=a-token-of-meta', 400, 'malformed_request'],
    ['an unknown source', `nobody?${question}a-token-of-meta`, 404, 'not_found'],
    ['a path with a type that it does not have', `typed/b?${question}a-token-of-meta`, 404, 'not_found'],
  ])('is refused to %s', async (_what, path, status, code) => {
    expect(await ask('GET', path)).toMatchObject({ status, code });
  });
});

describe('OPTIONS of CloudEvents', () => {
  const from = (origin: string) => ({ 'webhook-request-origin': origin });

  it('is answered with the origin and the rate that the source allows', async () => {
    const { status, headers } = await ask('OPTIONS', 'events', from('events.EXAMPLE.com'));
    expect(status).toBe(200);
    expect(headers.get('webhook-allowed-origin')).toBe('Events.example.com');
    expect(headers.get('webhook-allowed-rate')).toBe('120');
    expect(headers.get('allow')).toBe('GET, OPTIONS, POST');
  });

  it('is answered with any origin and any rate, where the source allows all', async () => {
    const { headers } = await ask('OPTIONS', 'any', from('whoever.test'));
    expect(headers.get('webhook-allowed-origin')).toBe('*');
    expect(headers.get('webhook-allowed-rate')).toBeNull();
    const rated = await ask('OPTIONS', 'any/a.type', { ...from('a'), 'webhook-request-rate': '1000' });
    expect(rated.headers.get('webhook-allowed-rate')).toBe('*');
  });

  it.each([
    ['another origin', 'events', from('evil.test'), 403, 'handshake_refused'],
    ['a source that takes no part', 'without', from('events.example.com'), 403, 'handshake_refused'],
    ['another address', 'elsewhere', from('events.example.com'), 403, 'address_not_allowed'],
    ['no origin', 'events', {}, 400, 'malformed_request'],
    ['an unknown source', 'nobody', from('events.example.com'), 404, 'not_found'],
  ])('is refused to %s', async (_what, path, headers, status, code) => {
    const answer = await ask('OPTIONS', path, headers as Record<string, string>);
    expect(answer).toMatchObject({ status, code });
    expect(answer.headers.get('webhook-allowed-origin')).toBeNull();
  });
});

describe("Slack's url_verification", () => {
  const send = (body: string, secret = SECRET) => {
    const seconds = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', secret).update(`v0:${seconds}:${body}`).digest('hex');
    return ingest.send('slack', body, {
      'content-type': 'application/json',
      'x-slack-request-timestamp': String(seconds),
      'x-slack-signature': `v0=${signature}`,
    });
  };

  it('is answered with the challenge, and publishes nothing', async () => {
    const answer = await send('{"type":"url_verification","challenge":"3eZbrw1a","token":"x"}');
    expect(answer).toMatchObject({ status: 200, text: '3eZbrw1a' });
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(ingest.kafka.take()).toEqual([]);
  });

  it('is verified first', async () => {
    const answer = await send('{"type":"url_verification","challenge":"x"}', 'another-secret');
    expect(answer.status).toBe(401);
    expect(answer.text).toContain('signature_invalid');
  });

  it('400 without a challenge, or with one that is too long', async () => {
    expect((await send('{"type":"url_verification"}')).status).toBe(400);
    const long = JSON.stringify({ type: 'url_verification', challenge: 'x'.repeat(1025) });
    expect((await send(long)).status).toBe(400);
  });
});
