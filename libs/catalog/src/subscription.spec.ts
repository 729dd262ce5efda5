import { DEFAULT_LADDER, parseLadder } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { celEvent, type CelEvent } from './cel.js';
import { subscriptionOf } from './catalogue.fixture.js';
import { compileSubscription } from './subscription.js';

function eventOf(data: unknown): CelEvent {
  return celEvent(
    { id: 'e1', source: '/s', type: 'order.completed', extensions: {} },
    { value: data, bytes: 0 },
  );
}

const compile = (spec: Record<string, unknown>, ladder = DEFAULT_LADDER) =>
  compileSubscription(subscriptionOf('billing', { events: ['*'], ...spec }), ladder);

function transform(source: string, data: unknown = {}) {
  return compile({ transform: source }).transform?.(eventOf(data));
}

describe('a filter', () => {
  it('matches everything when there is none', () => {
    expect(compile({}).filter(eventOf({}))).toEqual({ matched: true });
  });

  it('tells false from failing', () => {
    const { filter } = compile({ filter: 'event.data.total > 100' });
    expect(filter(eventOf({ total: 101 }))).toEqual({ matched: true });
    expect(filter(eventOf({ total: 1 }))).toMatchObject({ matched: false, code: 'filter_false' });
    expect(filter(eventOf({}))).toEqual({
      matched: false,
      code: 'filter_error',
      reason: 'No such key: total',
    });
  });

  it('does not take a value that is not true or false for a match', () => {
    expect(compile({ filter: 'event.data.flag' }).filter(eventOf({ flag: 'yes' }))).toMatchObject({
      matched: false,
      code: 'filter_error',
      reason: expect.stringContaining('string'),
    });
  });
});

describe('a transform', () => {
  it('gives JSON for every type of CEL', () => {
    const result = transform(
      '{"int": size(event.data.items), "uint": uint(7), "double": 1.5, "text": "x", "null": null, "list": [1, "a"], "at": timestamp("2026-01-02T03:04:05Z"), "for": duration("90s"), "bytes": b"abc", "data": event.data}',
      { items: [1, 2] },
    );
    expect(result).toEqual({
      ok: true,
      value: {
        int: 2,
        uint: 7,
        double: 1.5,
        text: 'x',
        null: null,
        list: [1, 'a'],
        at: '2026-01-02T03:04:05.000Z',
        for: '90s',
        bytes: 'YWJj',
        data: { items: [1, 2] },
      },
    });
    expect(() => JSON.stringify(result)).not.toThrow();
  });

  it.each([
    ['9007199254740993', /hold exactly: use string\(\)/],
    ['event.data.x / 0', /the number Infinity/],
    ['type(1)', /a type/],
  ])('refuses %s, which JSON cannot hold', (source, reason) => {
    expect(transform(source, { x: 1 })).toEqual({
      ok: false,
      code: 'transform_failed',
      reason: expect.stringMatching(reason) as string,
    });
  });

  it('refuses a result over 1 MiB before it is written', () => {
    const data = { items: Array.from({ length: 20_000 }, (_, index) => index) };
    expect(transform('event.data.items.map(i, event.data.items)', data)).toEqual({
      ok: false,
      code: 'body_too_large',
      reason: 'The result is larger than 1 MiB.',
    });
  });

  it('keeps hostile keys as plain members', () => {
    const data = JSON.parse('{"__proto__": {"n": 1}}') as unknown;
    expect(JSON.stringify(transform('{"d": event.data, "n": 1}', data))).toContain('"__proto__":{"n":1}');
  });

  it('says why it failed', () => {
    expect(transform('event.data.total + 1')).toEqual({
      ok: false,
      code: 'transform_failed',
      reason: 'No such key: total',
    });
  });
});

describe('a schedule', () => {
  it('is the whole ladder when none is given', () => {
    expect(compile({}).schedule).toEqual(DEFAULT_LADDER);
  });

  it('takes the next longer step for one that the ladder lost', () => {
    const delivery = { retry: { schedule: ['5s', '30s', '24h'] } };
    expect(compile({ delivery }, parseLadder('5s,1m,1h')).schedule.map((step) => step.name)).toEqual([
      '5s',
      '1m',
      '1h',
    ]);
  });
});
