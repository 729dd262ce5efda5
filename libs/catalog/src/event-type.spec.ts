import { decodeConfigChange } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { eventTypeWith } from './catalogue.fixture.js';
import { brokenEventType, compileEventType, uncheckedEventType } from './event-type.js';

const DEPRECATED = { since: '2026-01-01T00:00:00Z', sunset: '2026-07-01T00:00:00Z', message: 'Use 2.' };

const threeVersions = eventTypeWith('order.a', {
  versions: [
    { version: 'broken', schema: { typ: 'string' } },
    { version: '1', schema: { type: 'string' }, deprecated: DEPRECATED },
    { version: '2', schema: { type: 'object' } },
  ],
});

describe('the versions of an event type', () => {
  const type = compileEventType(threeVersions);

  it('are found by name, and the last one without a name', () => {
    expect(type.version()?.name).toBe('2');
    expect(type.version('2')).toBe(type.version());
    expect(type.version('1')?.name).toBe('1');
    for (const unknown of ['3', '', '__proto__', 'constructor']) {
      expect(type.version(unknown)).toBeUndefined();
    }
  });

  it('check with their own schema, and their schema only', () => {
    expect(type.version()?.validate({})).toEqual([]);
    expect(type.version()?.validate('text')).toEqual([{ path: '', message: 'must be object' }]);
    expect(type.version('1')?.validate('text')).toEqual([]);
    expect(type.version('1')?.validate({})).toEqual([{ path: '', message: 'must be string' }]);
  });

  it('accept nothing, with the reason, where an earlier one cannot be compiled; the others work', () => {
    expect(type.version('broken')?.validate('text')).toEqual([
      { path: '', message: expect.stringContaining('unknown keyword: "typ"') as string },
    ]);
  });

  it('say whether they are deprecated', () => {
    expect(type.version('1')?.deprecated).toEqual(DEPRECATED);
    expect(type.version('2')?.deprecated).toBeUndefined();
  });

  it('are none in a type that accepts anything', () => {
    const free = compileEventType(eventTypeWith('free', {}));
    expect(free.version()).toBeUndefined();
    expect(free.version('1')).toBeUndefined();
  });

  it('accept nothing in a type that does not compile, under the same names', () => {
    const broken = brokenEventType(threeVersions, 'no such keyword');
    for (const name of [undefined, '1', '2']) {
      expect(broken.version(name)?.validate({})).toEqual([
        { path: '', message: 'cannot be checked: no such keyword' },
      ]);
    }
    expect(broken.version('3')).toBeUndefined();
  });

  it('accept everything, under the same names, in a service that does not validate', () => {
    const unchecked = uncheckedEventType(threeVersions);
    expect(unchecked.version()?.name).toBe('2');
    expect(unchecked.version('broken')?.validate({})).toEqual([]);
  });

  it('may come from a record that was written before there were examples', () => {
    const { spec, ...rest } = eventTypeWith('order.a', {});
    const old = { ...rest, spec: { description: '', versions: [{ version: '1', schema: true }] } };
    const change = decodeConfigChange({
      key: Buffer.from('EventType/shop/order.a'),
      value: Buffer.from(JSON.stringify(old)),
    });
    expect(spec.versions).toEqual([]);
    expect(change).toMatchObject({
      change: 'put',
      resource: { spec: { versions: [{ version: '1', examples: [] }] } },
    });
  });
});
