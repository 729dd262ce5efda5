import { describe, expect, it } from 'vitest';
import { cloudEvent, numberIn, plainEvent } from './payload.js';

const EVENT = { id: 'b1-1234', type: 'bench.event', n: 1234, scheduledAt: 98_765.4321 };

describe('an event of the load', () => {
  it('is JSON of exactly the size asked for', () => {
    for (const bytes of [256, 1024, 64 * 1024]) {
      const body = plainEvent(EVENT, bytes);
      expect(Buffer.byteLength(body)).toBe(bytes);
      expect(JSON.parse(body)).toMatchObject({
        id: 'b1-1234',
        type: 'bench.event',
        data: { n: 1234, scheduledAt: 98_765.432 },
      });
    }
  });

  it('is a CloudEvent in a batch', () => {
    const body = cloudEvent(EVENT, 1024);
    expect(Buffer.byteLength(body)).toBe(1024);
    expect(JSON.parse(body)).toMatchObject({ specversion: '1.0', id: 'b1-1234', data: { n: 1234 } });
  });

  it('does not shrink under compression as a row of one letter would', () => {
    const { data } = JSON.parse(plainEvent(EVENT, 1024)) as { data: { padding: string } };
    expect(new Set(data.padding).size).toBeGreaterThan(50);
  });
});

describe('numberIn', () => {
  it('finds the number in whatever the data are wrapped in', () => {
    const { data } = JSON.parse(plainEvent(EVENT, 512)) as { data: object };
    const body = JSON.stringify({ type: 'bench.event', timestamp: '2026-01-31T12:00:00Z', data });
    expect(numberIn(Buffer.from(body))).toBe(1234);
    expect(numberIn(Buffer.from('{"n":0}'))).toBe(0);
  });

  it('finds none where there is none', () => {
    expect(numberIn(Buffer.from('{}'))).toBe(-1);
    expect(numberIn(Buffer.from('{"n":"x"}'))).toBe(-1);
  });
});
