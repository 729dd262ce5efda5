import { describe, expect, it } from 'vitest';
import { IdentityWindow } from './identity-window.js';

const identity = { namespace: 'shop', source: '/checkout', id: 'e1' };
const body = Buffer.from('{}');
const first = { partition: 0, offset: 1n };
const second = { partition: 0, offset: 2n };

function claim(window: IdentityWindow, id = 'e1', place = first): (written: boolean) => void {
  const sighting = window.look({ ...identity, id }, body, place);
  if (sighting.kind !== 'new') throw new Error(`"${id}" was seen before: ${sighting.kind}`);
  return sighting.settle;
}

describe('the window of identities', () => {
  it('knows an identity once its fan-out is written', () => {
    const window = new IdentityWindow();
    claim(window)(true);
    expect(window.look(identity, body, second)).toEqual({ kind: 'duplicate', conflict: false });
    expect(window.look(identity, Buffer.from('{"n":1}'), second)).toEqual({
      kind: 'duplicate',
      conflict: true,
    });
    expect(window.look(identity, null, second)).toEqual({ kind: 'duplicate', conflict: true });
  });

  it('does not take a record that is read again for a duplicate of itself', () => {
    const window = new IdentityWindow();
    claim(window)(true);
    expect(window.look(identity, body, first)).toEqual({ kind: 'repeated' });
    expect(window.look(identity, body, { partition: 1, offset: 1n })).toMatchObject({ kind: 'duplicate' });
  });

  it('forgets an identity whose fan-out failed', () => {
    const window = new IdentityWindow();
    claim(window)(false);
    expect(window.look(identity, body, second)).toMatchObject({ kind: 'new' });
  });

  it('lets a second record wait for the first', async () => {
    const window = new IdentityWindow();
    const settle = claim(window);
    const sighting = window.look(identity, body, second);
    expect(sighting.kind).toBe('pending');
    settle(true);
    if (sighting.kind === 'pending') await sighting.settled;
    expect(window.look(identity, body, second)).toMatchObject({ kind: 'duplicate' });
  });

  it('keeps namespaces and sources apart', () => {
    const window = new IdentityWindow();
    claim(window)(true);
    expect(window.look({ ...identity, namespace: 'other' }, body, second)).toMatchObject({ kind: 'new' });
    expect(window.look({ ...identity, source: '/other' }, body, second)).toMatchObject({ kind: 'new' });
  });

  it('forgets the oldest beyond its capacity', () => {
    const window = new IdentityWindow(2);
    for (const id of ['a', 'b', 'c']) claim(window, id)(true);
    expect(window.size).toBe(2);
    expect(window.look({ ...identity, id: 'a' }, body, second)).toMatchObject({ kind: 'new' });
    expect(window.look({ ...identity, id: 'c' }, body, second)).toMatchObject({ kind: 'duplicate' });
  });
});
