import { eventTypeSpec, parseLadder, subscriptionSpec } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { checkEventType, checkSubscription } from './check.js';

const ladder = parseLadder('5s,30s');
const spec = (extra: Record<string, unknown>) =>
  subscriptionSpec.parse({
    events: ['order.*'],
    destination: { webhook: { url: 'https://example.com/' } },
    ...extra,
  });

describe('checking what is saved', () => {
  it('finds nothing wrong with a good subscription', () => {
    const good = spec({
      filter: 'event.data.total > 100.0',
      transform: '{"n": event.data.total + 1}',
      delivery: { retry: { schedule: ['5s', '30s', '5s'] } },
    });
    expect(checkSubscription(good, ladder)).toEqual([]);
  });

  it('lists everything wrong with a bad one, with its place', () => {
    const bad = spec({
      filter: 'event.data.total >',
      transform: 'nope',
      delivery: { retry: { schedule: ['5s', '7s'] } },
    });
    expect(checkSubscription(bad, ladder)).toEqual([
      { path: '/filter', message: expect.stringContaining('Unexpected token') as string },
      { path: '/transform', message: 'Unknown variable: nope (at character 1)' },
      {
        path: '/delivery/retry/schedule/1',
        message: '"7s" is not a step of the retry ladder: choose from 5s, 30s.',
      },
    ]);
  });

  it('finds schemas that cannot be used and versions that stand there twice', () => {
    const bad = eventTypeSpec.parse({
      versions: [
        { version: '1', schema: { type: 'object' } },
        { version: '1', schema: { typ: 'object' } },
      ],
    });
    expect(checkEventType(bad)).toEqual([
      { path: '/versions/1/version', message: expect.stringContaining('twice') as string },
      { path: '/versions/1/schema', message: 'The schema cannot be used: unknown keyword: "typ".' },
    ]);
  });
});
