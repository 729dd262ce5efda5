import { NotStartedError } from '@quittance/kafka';
import { beforeEach, describe, expect, it } from 'vitest';
import { TestAssignment } from '../routing/router.fixture.js';
import { Turnstile, type Turn } from './turnstile.js';

let turnstile: Turnstile;
let assignment: TestAssignment;
let begun: string[];

beforeEach(() => {
  turnstile = new Turnstile();
  assignment = new TestAssignment();
  begun = [];
});

function enter(offset: number, namespace = 'shop', { over } = assignment): Turn {
  const turn = turnstile.enter(namespace, BigInt(offset), over);
  turn.whenCome().then(
    () => begun.push(`${namespace}/${offset}`),
    (error: { code: string }) => begun.push(error.code),
  );
  return turn;
}
const settle = (): Promise<void> => new Promise(setImmediate);

describe('the turnstile', () => {
  it('lets one begin when the one before has left', async () => {
    const turns = [enter(1), enter(2), enter(3)];
    await settle();
    expect(begun).toEqual(['shop/1']);
    turns[0]!.leave();
    turns[0]!.leave();
    await settle();
    expect(begun).toEqual(['shop/1', 'shop/2']);
    turns[1]!.leave();
    turns[2]!.leave();
    await settle();
    expect(begun).toEqual(['shop/1', 'shop/2', 'shop/3']);
    expect(turnstile.isClear).toBe(true);
  });

  it('makes nobody wait for another namespace or another assignment', async () => {
    const other = new TestAssignment();
    const turns = [enter(1), enter(1, 'bank'), enter(1, 'shop', other)];
    await settle();
    expect(begun).toHaveLength(3);
    for (const turn of turns) {
      expect(turnstile.isClear).toBe(false);
      turn.leave();
    }
    expect(turnstile.isClear).toBe(true);
  });

  it('keeps the place of a record that comes again', async () => {
    enter(1);
    enter(2);
    const again = enter(1);
    await settle();
    expect(begun).toEqual(['shop/1', 'shop/1']);
    again.leave();
    await settle();
    expect(begun).toEqual(['shop/1', 'shop/1', 'shop/2']);
  });

  it('gives everybody back when the assignment is over', async () => {
    const [first] = [enter(1), enter(2), enter(3)];
    await settle();
    assignment.drain();
    first!.leave();
    expect(() => enter(4)).toThrow(NotStartedError);
    await settle();
    expect(begun).toEqual(['shop/1', 'not_started', 'not_started']);
    expect(turnstile.isClear).toBe(true);
  });
});
