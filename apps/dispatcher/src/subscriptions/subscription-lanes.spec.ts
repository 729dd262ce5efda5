import { describe, expect, it } from 'vitest';
import { SubscriptionLanes } from './subscription-lanes.js';

describe('SubscriptionLanes', () => {
  it('lets as many in as the limit says and the others in order, each subscription by itself', async () => {
    const lanes = new SubscriptionLanes();
    const entered: string[] = [];
    const enter = async (uid: string, name: string): Promise<void> => {
      await lanes.enter(uid, 2);
      entered.push(name);
    };
    const all = [enter('a', 'a1'), enter('a', 'a2'), enter('a', 'a3'), enter('a', 'a4'), enter('b', 'b1')];
    await Promise.all([all[0], all[1], all[4]]);
    expect(entered).toEqual(['a1', 'a2', 'b1']);
    lanes.leave('a');
    await all[2];
    expect(entered.at(-1)).toBe('a3');
    lanes.leave('a');
    lanes.leave('a');
    await all[3];
    expect(entered.at(-1)).toBe('a4');
  });

  it('takes a raised limit over with the next delivery', async () => {
    const lanes = new SubscriptionLanes();
    expect(lanes.enter('a', 1)).toBeUndefined();
    const second = lanes.enter('a', 1);
    const third = lanes.enter('a', 3);
    lanes.leave('a');
    await Promise.all([second, third]);
    expect(lanes.enter('a', 3)).toBeUndefined();
  });
});
