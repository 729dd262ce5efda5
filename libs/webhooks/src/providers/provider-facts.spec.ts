import { sourceVerify } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { providerFacts, type ProviderFacts } from './provider-facts.js';

function factsOf(verify: object, headers: Record<string, string>, body: unknown): ProviderFacts {
  return providerFacts(sourceVerify.parse(verify), headers, body);
}

describe('what a provider says of its request', () => {
  it.each([
    ['stripe', {}, { id: 'evt_1', type: 'invoice.paid' }, 'stripe.invoice.paid', 'evt_1', true],
    [
      'github',
      { 'x-github-event': 'pull_request', 'x-github-delivery': '72d3162e-cc78-11e3' },
      { action: 'opened' },
      'github.pull_request',
      '72d3162e-cc78-11e3',
      false,
    ],
    [
      'shopify',
      { 'x-shopify-topic': 'customers/data/request', 'x-shopify-webhook-id': 'b54557e4' },
      {},
      'shopify.customers.data.request',
      'b54557e4',
      false,
    ],
    [
      'slack',
      {},
      { type: 'event_callback', event: { type: 'app_mention' }, event_id: 'Ev1' },
      'slack.app_mention',
      'Ev1',
      true,
    ],
    [
      'standard-webhooks',
      { 'webhook-id': 'msg_1' },
      { type: 'contact.created' },
      'contact.created',
      'msg_1',
      true,
    ],
  ])('is read for %s', (type, headers, body, eventType, value, signed) => {
    expect(factsOf({ type }, headers, body)).toEqual({ type: eventType, deliveryId: { value, signed } });
  });

  it('is the outer type where Slack sends no event', () => {
    expect(factsOf({ type: 'slack' }, {}, { type: 'block_actions' })).toEqual({
      type: 'slack.block_actions',
    });
  });

  it('is the id of an hmac source, signed or not', () => {
    const hmac = { type: 'hmac', header: 'X-Sig', id: { header: 'X-Id' } };
    const id = (verify: object) => factsOf(verify, { 'x-id': 'd-1' }, { type: 'a' });
    expect(id(hmac)).toEqual({ deliveryId: { value: 'd-1', signed: false } });
    expect(id({ ...hmac, content: '{id}.{body}' })).toEqual({ deliveryId: { value: 'd-1', signed: true } });
    expect(factsOf({ type: 'hmac', header: 'X-Sig' }, { 'x-id': 'd-1' }, {})).toEqual({});
  });

  it.each([{ type: 'bearer' }, { type: 'basic', username: 'u' }, { type: 'api-key' }, { type: 'none' }])(
    'is nothing for %o',
    (verify) => {
      expect(factsOf(verify, { 'webhook-id': 'msg_1' }, { type: 'a', id: '1' })).toEqual({});
    },
  );

  it.each([
    ['of other kinds', { id: 1, type: { toString: 1 } }],
    ['empty', { id: '', type: '' }],
    ['too long', { id: 'x'.repeat(513), type: 'x'.repeat(300) }],
    ['no names', { id: 'a b', type: 'a b' }],
    ['outside ASCII', { id: 'évt', type: 'évt' }],
    ['ending in a dot', { id: '\n', type: 'invoice.' }],
    ['inherited', Object.create({ id: 'evt_1', type: 'invoice.paid' })],
  ])('is left out when type and id are %s', (_title, body) => {
    expect(factsOf({ type: 'stripe' }, {}, body)).toEqual({});
  });

  it.each([undefined, null, 'text', 12, true, [], [{ id: 'evt_1' }], Buffer.from('{}')])(
    'is left out when the body is %o',
    (body) => {
      for (const type of ['stripe', 'slack', 'standard-webhooks']) {
        expect(factsOf({ type }, {}, body)).toEqual({});
      }
    },
  );
});
