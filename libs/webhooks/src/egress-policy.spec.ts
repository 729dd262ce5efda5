import { afterEach, describe, expect, it } from 'vitest';
import { blockedRange } from './address-policy.js';
import { AddressRanges, EgressPolicy, type EgressRules } from './egress-policy.js';
import { WebhookClient } from './webhook-client.js';
import { WebhookError } from './webhook-error.js';

const policy = (rules: Partial<EgressRules>) =>
  new EgressPolicy({ allowedCidrs: [], hostSuffixes: [], ports: [], ...rules });

describe('the egress rules of a namespace', () => {
  it('refuse other hosts than those named and what is below them', () => {
    const rules = policy({ hostSuffixes: ['example.com', '.partner.test'] });
    const allowed = [
      'https://example.com/',
      'https://a.b.example.com',
      'https://x.partner.test:8443',
      'https://partner.test.',
    ];
    const refused = [
      'https://badexample.com',
      'https://example.com.evil.test',
      'https://10.0.0.1',
      'https://[::1]/',
    ];
    for (const url of allowed) expect([url, rules.refusal(new URL(url))]).toEqual([url, undefined]);
    for (const url of refused)
      expect([url, rules.refusal(new URL(url))]).toEqual([url, expect.stringContaining('host')]);
  });

  it('refuse other ports than those named, the default ones included', () => {
    const rules = policy({ ports: [443, 8443] });
    expect(rules.refusal(new URL('https://a.test/'))).toBeUndefined();
    expect(rules.refusal(new URL('http://a.test:8443/'))).toBeUndefined();
    expect(rules.refusal(new URL('http://a.test/'))).toContain('port 80');
    expect(rules.refusal(new URL('https://a.test:22/'))).toContain('port 22');
  });

  it('open private ranges, and nothing that is never reached', () => {
    const { opened } = policy({
      allowedCidrs: ['10.1.0.0/16', 'fd00::/8', '127.0.0.0/8', '169.254.0.0/16', '0.0.0.0/0'],
    });
    const strict = { allowLoopback: false, allowPrivate: false };
    expect(blockedRange('10.1.2.3', strict, opened)).toBeUndefined();
    expect(blockedRange('::ffff:10.1.2.3', strict, opened)).toBeUndefined();
    expect(blockedRange('fd12::1', strict, opened)).toBeUndefined();
    expect(blockedRange('127.0.0.1', strict, opened)).toBe('loopback');
    expect(blockedRange('169.254.169.254', strict, opened)).toBe('linkLocal');
    expect(blockedRange('100.100.100.200', strict, opened)).toBe('metadata');
    expect(blockedRange('fd00:ec2::254', strict, opened)).toBe('metadata');
    expect(blockedRange('10.1.2.3', strict)).toBe('private');
    expect(blockedRange('10.2.0.1', strict, policy({ allowedCidrs: ['10.1.0.0/16'] }).opened)).toBe(
      'private',
    );
  });

  it("never open what the installation denies: the platform's own servers", () => {
    const denied = new AddressRanges(['10.1.5.0/24', '2001:db8:5::/48']);
    const open = { allowLoopback: true, allowPrivate: true, denied };
    expect(blockedRange('10.1.5.9', open, policy({ allowedCidrs: ['10.0.0.0/8'] }).opened)).toBe('denied');
    expect(blockedRange('::ffff:10.1.5.9', open)).toBe('denied');
    expect(blockedRange('10.1.6.9', open)).toBeUndefined();
  });
});

describe('a request under egress rules', () => {
  const clients: WebhookClient[] = [];
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

  it('shares no connection with a team that may not go where it goes', async () => {
    const asked: string[] = [];
    const client = new WebhookClient({
      version: '1',
      lookup: (name) => {
        asked.push(name);
        // Nobody answers there: what matters is whether a connection is tried.
        return Promise.resolve([{ address: '10.255.255.1', family: 4 }]);
      },
    });
    clients.push(client);
    const attempt = async (egress: EgressPolicy | undefined): Promise<string> => {
      const error: unknown = await client
        .post({
          url: 'http://internal.test/',
          pool: 'sub_1',
          maxConnections: 8,
          headers: {},
          body: Buffer.from('{}'),
          timeoutMs: 150,
          ...(egress && { egress }),
        })
        .catch((thrown: unknown) => thrown);
      return error instanceof WebhookError ? error.code : 'answered';
    };
    const opened = policy({ allowedCidrs: ['10.0.0.0/8'] });
    expect(await attempt(opened)).not.toBe('address_blocked');
    expect(await attempt(policy({}))).toBe('address_blocked');
    expect(await attempt(undefined)).toBe('address_blocked');
    expect(await attempt(policy({ allowedCidrs: ['10.1.0.0/16'] }))).toBe('address_blocked');
    expect(asked.length).toBeGreaterThan(0);
    asked.length = 0;
    expect(await attempt(policy({ allowedCidrs: ['10.0.0.0/8'], hostSuffixes: ['example.com'] }))).toBe(
      'address_blocked',
    );
    expect(asked).toEqual([]);
  });
});
