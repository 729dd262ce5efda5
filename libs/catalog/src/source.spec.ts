import { describe, expect, it } from 'vitest';
import { sourceOf } from './catalogue.fixture.js';
import { brokenSource, compileSource, type SourceRequest } from './source.js';

const request = (parts: Partial<SourceRequest> = {}): SourceRequest => ({
  headers: { 'x-github-event': 'push', 'content-type': 'application/json' },
  body: { id: 'evt_1', kind: 'order', items: ['a', 'b'], n: 7 },
  query: { tenant: 'north', tag: ['x', 'y'] },
  bodyBytes: 100,
  ...parts,
});

const typeBy = (expression: string, parts?: Partial<SourceRequest>) =>
  compileSource(sourceOf('shop', { type: { expression } })).type?.(request(parts));
const idBy = (expression: string, parts?: Partial<SourceRequest>) =>
  compileSource(sourceOf('shop', { id: { expression } })).id?.(request(parts));

describe('what a source makes of a request', () => {
  it.each([
    ['"github." + headers["x-github-event"]', 'github.push'],
    ['"shop." + body.kind', 'shop.order'],
    ['body.kind + "." + query.tenant + "." + query.tag[1]', 'order.north.y'],
    ['"x-topic" in headers ? headers["x-topic"] : "fallback"', 'fallback'],
    ['has(body.type) ? body.type : "none"', 'none'],
    ['body.items.map(i, "item-" + i).join(".")', 'item-a.item-b'],
    ['headers["x-github-event"].matches("^p.*h$") ? "matched" : "other"', 'matched'],
  ])('the type by %s', (expression, value) => {
    expect(typeBy(expression)).toEqual({ ok: true, value });
  });

  it('the type by a fixed value', () => {
    const source = compileSource(sourceOf('shop', { type: { value: 'order.paid' } }));
    expect(source.type?.(request())).toEqual({ ok: true, value: 'order.paid' });
  });

  it('the id, in any characters that can be seen', () => {
    expect(idBy('body.id')).toEqual({ ok: true, value: 'evt_1' });
    expect(idBy('string(body.n) + "/" + headers["content-type"]')).toEqual({
      ok: true,
      value: '7/application/json',
    });
    expect(idBy('body', { body: 'ü'.repeat(256) })).toEqual({ ok: true, value: 'ü'.repeat(256) });
  });

  it('nothing of its own when the spec says nothing', () => {
    const source = compileSource(sourceOf('shop', {}));
    expect([source.type, source.id]).toEqual([undefined, undefined]);
  });

  it.each([
    ['body.missing', {}, 'failed: No such key: missing'],
    ['headers.missing', {}, 'failed: No such key: missing'],
    ['headers.constructor', {}, 'failed: No such key: constructor'],
    ['body.n', {}, 'a value of type number; it must give a text'],
    ['body.items', {}, 'a value of type object'],
    ['body', { body: null }, 'a value of type null'],
    ['body', { body: undefined }, 'a value of type null'],
    ['body', { body: '' }, 'a text that is empty'],
  ])('a reason when %s gives no text', (expression, parts, reason) => {
    expect(typeBy(expression, parts)).toEqual({
      ok: false,
      reason: expect.stringContaining(
        `The expression for the type ${reason.startsWith('a ') ? 'gave ' : ''}${reason}`,
      ) as string,
    });
    expect(idBy(expression, parts)).toMatchObject({ ok: false });
  });

  it.each(['a b', '.order', 'order.', 'ä', 'a'.repeat(254), 'a/b'])('no type of the name "%s"', (body) => {
    expect(typeBy('body', { body })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('not the name of an event type') as string,
    });
  });

  it.each([
    ['a'.repeat(513), 'longer than 512 bytes'],
    ['ü'.repeat(257), 'longer than 512 bytes'],
    ['a\nb', 'control characters'],
    ['a\u0085', 'control characters'],
  ])('no id that cannot be stored', (body, reason) => {
    expect(idBy('body', { body })).toMatchObject({
      ok: false,
      reason: expect.stringContaining(reason) as string,
    });
  });

  it('a reason without what was sent, which may be secret', () => {
    expect(JSON.stringify(typeBy('body', { body: 'p@ssword' }))).not.toContain('p@ssword');
  });
});

describe('an expression of a source', () => {
  it.each([
    ['event.type', 'Unknown variable: event'],
    ['1 + 1', 'it must give a text'],
    ['headers', 'it must give a text'],
    ['body.items.exists(i, i == "a")', 'it must give a text'],
    ['headers["a"] +', 'Unexpected token'],
    ['body.matches("(a)\\\\1") ? "a" : "b"', ''],
    ['body.map(a, body.map(b, a + b)).join()', 'another comprehension'],
    ['cel.bind(x, body.id, x)', 'cel.bind is not supported'],
  ])('cannot be %s', (expression, reason) => {
    expect(() => compileSource(sourceOf('shop', { type: { expression } }))).toThrow(reason);
  });

  it('is stopped when it takes too long over what a stranger has sent', () => {
    const body = Array.from({ length: 20_000 }, (_, index) => `item ${index}`);
    expect(idBy('body.filter(a, a in body).join()', { body, bodyBytes: 300_000 })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('took longer than 100 ms') as string,
    });
  });
});

describe('who may send to a source', () => {
  it('is everybody without a list', () => {
    const source = compileSource(sourceOf('shop', {}));
    expect(source.allowsAddress('203.0.113.9')).toBe(true);
    expect(source.allowsAddress('nonsense')).toBe(true);
  });

  it('is who is on the list', () => {
    const source = compileSource(sourceOf('shop', { allowedCidrs: ['203.0.113.0/24'] }));
    expect(source.allowsAddress('::ffff:203.0.113.9')).toBe(true);
    expect(source.allowsAddress('203.0.114.9')).toBe(false);
    expect(source.allowsAddress('nonsense')).toBe(false);
  });
});

describe('a source that cannot be used', () => {
  it('makes no event of anything, keeps its list, and says why', () => {
    const resource = sourceOf('shop', { allowedCidrs: ['203.0.113.0/24'] });
    const source = brokenSource(resource, 'Unknown variable: x');
    expect(source.type?.(request())).toEqual({ ok: false, reason: 'Unknown variable: x' });
    expect(source.id?.(request())).toEqual({ ok: false, reason: 'Unknown variable: x' });
    expect(source.allowsAddress('203.0.113.9')).toBe(true);
    expect(source.allowsAddress('203.0.114.9')).toBe(false);
  });

  it('lets nobody in when its list cannot be read', () => {
    const resource = sourceOf('shop', {});
    resource.spec.allowedCidrs = ['nonsense'];
    expect(() => compileSource(resource)).toThrow('CIDR');
    expect(brokenSource(resource, 'x').allowsAddress('203.0.113.9')).toBe(false);
  });
});
