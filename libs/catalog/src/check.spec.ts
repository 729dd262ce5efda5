import { eventTypeSpec, parseLadder, sourceSpec, subscriptionSpec } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { checkEventType, checkSource, checkSubscription } from './check.js';
import { ExampleCheck } from './example-check.js';

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

  it('finds fallback URLs that are no others', () => {
    const url = 'https://example.com/';
    const bad = spec({
      destination: {
        webhook: { url, fallbackUrls: ['https://b.example/', 'https://EXAMPLE.com', 'https://b.example/'] },
      },
    });
    expect(checkSubscription(bad, ladder).map(({ path }) => path)).toEqual([
      '/destination/webhook/fallbackUrls/1',
      '/destination/webhook/fallbackUrls/2',
    ]);
    const good = spec({ destination: { webhook: { url, fallbackUrls: ['https://example.com/b'] } } });
    expect(checkSubscription(good, ladder)).toEqual([]);
  });

  it('has nothing against strict order with a schedule and a hold of its own', () => {
    const strict = spec({
      delivery: { ordering: 'strict', concurrency: 8, hold: '2h', retry: { schedule: ['5s'] } },
    });
    expect(checkSubscription(strict, ladder)).toEqual([]);
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

  it('finds examples that their own version does not accept', () => {
    const schema = { type: 'object', required: ['total'], properties: { total: { type: 'number' } } };
    const spec = eventTypeSpec.parse({
      versions: [
        { version: '1', schema: true, examples: ['anything', null] },
        { version: '2', schema, examples: [{ total: 1 }, { total: 'x' }, {}] },
      ],
    });
    const message = 'is not accepted by the schema of this version: must';
    expect(checkEventType(spec)).toEqual([
      { path: '/versions/1/examples/1/total', message: `${message} be number` },
      { path: '/versions/1/examples/2/total', message: `${message} have required property 'total'` },
    ]);
  });

  const withExamples = (...examples: unknown[]) =>
    checkEventType(eventTypeSpec.parse({ versions: [{ version: '1', schema: true, examples }] }));

  it('bounds an example, and all examples of a type', () => {
    const sized = (bytes: number) => 'x'.repeat(bytes - 2);
    expect(withExamples(sized(65_536), sized(65_537))).toEqual([
      { path: '/versions/0/examples/1', message: 'is larger than 64 KiB' },
    ]);
    expect(withExamples(...Array.from({ length: 5 }, () => sized(65_536)))).toEqual([
      { path: '/versions/0/examples/4', message: expect.stringContaining('256 KiB in all') as string },
    ]);
    const deep = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000)) as unknown;
    expect(withExamples(deep)).toEqual([
      { path: '/versions/0/examples/0', message: expect.stringContaining('nested') as string },
    ]);
  });

  it('stops listing at a hundred problems', () => {
    const versions = Array.from({ length: 10 }, (_, index) => ({
      version: String(index),
      schema: { type: 'object' },
      examples: Array.from({ length: 20 }, () => 1),
    }));
    expect(checkEventType(eventTypeSpec.parse({ versions }))).toHaveLength(100);
  });

  it('checks no more examples after a second of work', () => {
    const usedMs = () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    };
    const busy = {
      validate: () => {
        const end = usedMs() + 600;
        while (usedMs() < end);
        return [];
      },
    };
    expect(new ExampleCheck().check(busy, [1, 2, 3, 4], '/examples')).toEqual([
      { path: '/examples/2', message: expect.stringContaining('took too long') as string },
      { path: '/examples/3', message: expect.stringContaining('took too long') as string },
    ]);
  });
});

describe('checking a source', () => {
  const check = (spec: Record<string, unknown>) =>
    checkSource(sourceSpec.parse({ verify: { type: 'none' }, ...spec }));

  it('finds nothing wrong with a good one', () => {
    expect(check({})).toEqual([]);
    expect(check({ type: { value: 'order.paid' } })).toEqual([]);
    expect(
      check({
        type: { expression: '"github." + headers["x-github-event"]' },
        id: { expression: 'body.id' },
        allowedCidrs: ['203.0.113.0/24', '2001:db8::/32', '::/0'],
      }),
    ).toEqual([]);
  });

  it('lists everything wrong with a bad one, with its place', () => {
    expect(check({ type: { expression: 'event.type' }, id: { expression: '1 + 1' } })).toEqual([
      { path: '/type/expression', message: 'Unknown variable: event (at character 1)' },
      { path: '/id/expression', message: 'The expression gives int; it must give a text.' },
    ]);
    expect(check({ type: { value: 'quittance.delivery.dead' } })).toEqual([
      { path: '/type/value', message: expect.stringContaining('reserved') as string },
    ]);
    const spec = sourceSpec.parse({ verify: { type: 'none' } });
    expect(checkSource({ ...spec, allowedCidrs: ['10.0.0.0/8', 'nonsense'] })).toEqual([
      { path: '/allowedCidrs/1', message: expect.stringContaining('CIDR') as string },
    ]);
  });
});
