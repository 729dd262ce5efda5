import { Problem, sourceSpec, type SourceSpec } from '@quittance/contracts';
import { createVerifier } from '@quittance/webhooks';
import { describe, expect, it } from 'vitest';
import { shownHeaders, simulatedRequest } from './sample-request.js';
import type { Simulation } from './trial-bodies.js';

const occasion = { nowMs: Date.UTC(2026, 0, 31), deliveryId: '0198c0de-0000-7000-8000-000000000001' };
const SECRET = 'a-secret-of-16-chars';

const specOf = (verify: object, more: object = {}): SourceSpec => sourceSpec.parse({ verify, ...more });
const requestOf = (spec: SourceSpec, body?: Simulation['body'], secret: string | undefined = SECRET) =>
  simulatedRequest(spec, secret, body, occasion);

describe('a simulated request', () => {
  it.each([
    { type: 'stripe' },
    { type: 'github' },
    { type: 'shopify' },
    { type: 'slack' },
    { type: 'hmac', header: 'X-Signature', encoding: 'base64', prefix: 'v1=' },
    { type: 'bearer' },
    { type: 'basic', username: 'shop' },
    { type: 'api-key', header: 'X-Key' },
    { type: 'none' },
  ])('is one that the source verifies: %j', (verify) => {
    for (const body of [undefined, { total: 1 }, [1], 'text']) {
      const spec = specOf(verify);
      const { headers, body: rawBody } = requestOf(spec, body);
      const verifier = createVerifier(spec.verify, verify.type === 'none' ? [] : [SECRET]);
      expect(() => verifier.verify({ headers, rawBody }, occasion.nowMs)).not.toThrow();
    }
  });

  it.each([{ type: 'bearer' }, { type: 'basic', username: 'shop' }, { type: 'api-key', header: 'X-Key' }])(
    'is shown without the secret: %j',
    (verify) => {
      const request = requestOf(specOf(verify));
      expect(JSON.stringify(request.headers)).toContain(verify.type === 'basic' ? 'Basic ' : SECRET);
      const shown = Object.values(shownHeaders(request));
      expect(shown).toContain('[redacted]');
      expect(shown.join()).not.toMatch(/secret|c2VjcmV0|Basic/);
    },
  );

  it('is a form where the source reads forms', () => {
    const form = { body: 'form' };
    const shop = requestOf(specOf({ type: 'none' }, form), { a: 'x&y', n: 1, list: [1, 2] }, undefined);
    expect(shop.body.toString()).toBe('a=x%26y&n=1&list=%5B1%2C2%5D');
    expect(shop.headers['content-type']).toBe('application/x-www-form-urlencoded');
    const github = requestOf(specOf({ type: 'github' }, form));
    const payload = new URLSearchParams(github.body.toString()).get('payload');
    expect(JSON.parse(payload!)).toMatchObject({ ref: 'refs/heads/main' });
    expect(github.headers['x-github-event']).toBe('push');
  });

  it('sends text as the source reads it', () => {
    const contentType = (body: string): string | undefined =>
      requestOf(specOf({ type: 'none' }, { body }), '{', undefined).headers['content-type'];
    expect(['auto', 'raw', 'json', 'form'].map(contentType)).toEqual([
      'text/plain; charset=utf-8',
      'text/plain; charset=utf-8',
      'application/json',
      'application/x-www-form-urlencoded',
    ]);
  });

  it('cannot be made with what only verifies, or with what no header carries', () => {
    const publicKey = `whpk_${Buffer.alloc(32).toString('base64')}`;
    for (const [verify, secret] of [
      [{ type: 'standard-webhooks' }, publicKey],
      [{ type: 'bearer' }, 'schlüssel-für-alles'],
    ] as const) {
      let found: unknown;
      try {
        requestOf(specOf(verify), undefined, secret);
      } catch (error) {
        found = error;
      }
      expect(found).toBeInstanceOf(Problem);
      expect(found).toMatchObject({ code: 'no_sample' });
      expect(String(found)).not.toContain(secret);
    }
  });
});
