import { eventTypeSpec } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { sampleOf } from './sample-choice.js';

const schema = (type: string): object => ({ type: 'object', properties: { total: { type } } });
const spec = eventTypeSpec.parse({
  versions: [
    { version: '1', schema: schema('string'), examples: [{ total: 'one' }, { total: 'two' }] },
    { version: '2', schema: schema('number'), examples: [] },
  ],
});

const chosen = (asked: { version?: string; data?: unknown }) => {
  const { version, data } = sampleOf('order.completed', spec, asked);
  return [version, data.toString()];
};
const refusal = (asked: { version?: string; data?: unknown }, of = spec): string => {
  try {
    sampleOf('order.completed', of, asked);
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('a sample of an event type', () => {
  it('is the first example of the last version that has one', () => {
    expect(chosen({})).toEqual(['1', '{"total":"one"}']);
  });

  it('is what is given, of the version that is named, else of the last one', () => {
    expect(chosen({ data: { total: 3 } })).toEqual(['2', '{"total":3}']);
    expect(chosen({ version: '1', data: { total: '3' } })).toEqual(['1', '{"total":"3"}']);
  });

  it('is refused if nobody could publish it', () => {
    expect(refusal({ data: { total: '3' } })).toBe('schema_mismatch');
    expect(refusal({ data: null })).toBe('schema_mismatch');
    expect(refusal({ version: '3' })).toBe('unknown_schema_version');
    expect(refusal({ version: '2' })).toBe('no_sample');
    expect(refusal({}, eventTypeSpec.parse({}))).toBe('no_sample');
  });

  it('is anything where the type has no versions', () => {
    const { version, data } = sampleOf('order.completed', eventTypeSpec.parse({}), { data: 'text' });
    expect([version, data.toString()]).toEqual([undefined, '"text"']);
  });
});
