import { decodeEvent, encodeEvent, Problem, type EventRecord } from '@quittance/contracts';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { isJsonMediaType, type ReceivedEvent } from './publishing/received-event.js';

// oxlint-disable-next-line no-control-regex -- CloudEvents strings must not have control characters.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** What is accepted, or the refusal; every other error is a failure. */
export function outcomeOf<T>(run: () => T): T | Problem {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.status).toBeGreaterThanOrEqual(400);
    expect(error.status).toBeLessThan(500);
    return error;
  }
}

/** Fails unless it is an event that may be published, and is the same once it was read from Kafka. */
export function expectValid({ attributes, data, value }: ReceivedEvent): void {
  const { extensions, datacontenttype, ...core } = attributes;
  for (const required of [core.id, core.source, core.type]) expect(required).not.toBe('');
  expect(Buffer.byteLength(core.id)).toBeLessThanOrEqual(512);
  expect(Buffer.byteLength(core.type)).toBeLessThanOrEqual(253);
  for (const name of Object.keys(extensions)) expect(name).toMatch(/^[a-z0-9]{1,64}$/);
  for (const text of [...Object.values(core), ...Object.values(extensions), datacontenttype ?? '']) {
    expect(text).not.toMatch(CONTROL);
    expect(text?.isWellFormed()).toBe(true);
  }
  if (datacontenttype !== undefined && isJsonMediaType(datacontenttype) && data !== null) {
    expect(JSON.parse(data.toString())).toEqual(value);
  }
  const record: EventRecord = { namespace: 'shop', attributes, data, revision: 1, acceptedAt: 1 };
  const { key, headers, ...written } = encodeEvent('events', record, 3);
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
  const read = decodeEvent({
    ...written,
    key: Buffer.from(key ?? ''),
    headers: Object.fromEntries(bytes),
    partition: 0,
    offset: 0n,
    timestamp: 0,
  });
  expect(read).toEqual(record);
}

/** A body as somebody careless, or worse, would change it. */
export function damaged(body: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const damage = fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.tuple(fc.nat(), fc.nat({ max: 255 })) },
  );
  return fc.tuple(body, damage).map(([bytes, change]) => {
    if (change === undefined || bytes.length === 0) return bytes;
    const copy = Buffer.from(bytes);
    copy[change[0] % copy.length] = change[1];
    return copy;
  });
}
