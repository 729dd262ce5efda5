import type { Principal } from '@quittance/catalog';
import { API_VERSION, type ApiKeyResource, type KeyUsedOutcome } from '@quittance/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '../logging/logger.js';
import { KeyUsage } from './key-usage.js';

const START = Date.parse('2030-01-01T00:00:00Z');

function principalOf(credentialId: string, name = 'checkout'): Principal {
  const at = '2026-01-01T00:00:00Z';
  const apiKey: ApiKeyResource = {
    apiVersion: API_VERSION,
    kind: 'ApiKey',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      labels: {},
      annotations: {},
      generation: 1,
      resourceVersion: '1',
      createdAt: at,
      updatedAt: at,
    },
    spec: { description: '', scopes: ['publish'] },
    status: {},
    credential: { id: credentialId, sha256: '' },
    former: [],
  };
  return { kind: 'key', name, namespace: 'shop', scopes: ['publish'], apiKey, credentialId };
}

function open(publish?: (outcome: KeyUsedOutcome) => Promise<unknown>) {
  const written: KeyUsedOutcome[] = [];
  const logged: string[] = [];
  const destination = { write: (line: string) => void logged.push(line) };
  const usage = new KeyUsage(
    publish ??
      ((outcome) => {
        written.push(outcome);
        return Promise.resolve();
      }),
    createLogger({ service: 'spec', version: '0', level: 'debug', destination }),
  );
  return { usage, written, logged };
}

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe('the use of a key', () => {
  it('is written down with the credential that was used', () => {
    const { usage, written } = open();
    usage.note(principalOf('a'));
    expect(written).toEqual([
      {
        type: 'key-used',
        at: START,
        namespace: 'shop',
        name: 'checkout',
        uid: 'uid-checkout',
        credentialId: 'a',
      },
    ]);
  });

  it('is written down once a minute per credential', () => {
    const { usage, written } = open();
    for (const [elapsed, credential] of [
      [0, 'a'],
      [0, 'b'],
      [59_999, 'a'],
      [60_000, 'a'],
      [60_001, 'a'],
      [60_001, 'b'],
    ] as const) {
      vi.setSystemTime(START + elapsed);
      usage.note(principalOf(credential));
    }
    expect(written.map(({ credentialId, at }) => [credentialId, at - START])).toEqual([
      ['a', 0],
      ['b', 0],
      ['a', 60_000],
      ['b', 60_001],
    ]);
  });

  it('is written down again after the clock was put back', () => {
    const { usage, written } = open();
    usage.note(principalOf('a'));
    vi.setSystemTime(START - 3_600_000);
    usage.note(principalOf('a'));
    usage.note(principalOf('a'));
    expect(written.map(({ at }) => at - START)).toEqual([0, -3_600_000]);
  });

  it('is not written down for the admin', () => {
    const { usage, written } = open();
    usage.note({ kind: 'admin', name: 'admin', scopes: ['publish'] });
    expect(written).toEqual([]);
  });

  it('is remembered for 10,000 credentials: more wait for the next minute, and none is written twice in one', () => {
    const { usage, written } = open();
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 10_500; n++) usage.note(principalOf(`c${n}`));
    }
    expect(written).toHaveLength(10_000);
    expect(new Set(written.map(({ credentialId }) => credentialId)).size).toBe(10_000);
    vi.setSystemTime(START + 60_000);
    usage.note(principalOf('c10400'));
    expect(written.at(-1)).toMatchObject({ credentialId: 'c10400' });
  });

  it('troubles nobody when it cannot be written down', async () => {
    const { usage, logged } = open(() => Promise.reject(new Error('Kafka is gone.')));
    usage.note(principalOf('a'));
    usage.note(principalOf('a'));
    await vi.waitFor(() => expect(logged).not.toEqual([]));
    expect(logged).toEqual([expect.stringContaining('"level":"debug"')]);
    const throwing = open(() => {
      throw new Error('closed');
    });
    expect(() => throwing.usage.note(principalOf('a'))).not.toThrow();
    expect(throwing.logged).toHaveLength(1);
  });
});
