import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { delivery } from './guard.fixture.js';
import { WaitingLine } from './waiting-line.js';

const GO = { kind: 'go', isProbe: false, epoch: 0, era: 0 } as const;

describe('WaitingLine', () => {
  it('answers in the order of arrival, and the one that comes first before all others', async () => {
    const line = new WaitingLine();
    const answered: string[] = [];
    for (let n = 0; n < 3000; n++) {
      void line.join(delivery(String(n)), undefined, false).then(() => answered.push(String(n)));
    }
    for (let n = 0; n < 1500; n++) line.admitFirst(GO);
    void line.join(delivery('first'), 1n, true).then(() => answered.push('first'));
    expect(line.first).toMatchObject({ delivery: { deliveryId: 'first' }, place: 1n });
    expect(line.last.deliveryId).toBe('2999');
    line.admitLast(GO);
    while (line.size > 0) line.admitFirst(GO);
    await Promise.resolve();
    const numbers = Array.from({ length: 3000 }, (_, n) => String(n));
    expect(answered).toEqual([...numbers.slice(0, 1500), '2999', 'first', ...numbers.slice(1500, 2999)]);
  });

  it('keeps nothing of what was answered, though it is never empty', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const line = new WaitingLine();
    const bodies: WeakRef<Buffer>[] = [];
    const join = (): void => {
      const body = Buffer.allocUnsafeSlow(16);
      bodies.push(new WeakRef(body));
      void line.join(delivery('d', { body }), undefined, false);
    };
    join();
    for (let n = 0; n < 100; n++) {
      join();
      line.admitFirst(GO);
    }
    // The engine may hold on to the last one for a turn or two.
    await vi.waitFor(() => {
      collect();
      expect(bodies.filter((body) => body.deref() !== undefined)).toHaveLength(1);
    });
  });
});
