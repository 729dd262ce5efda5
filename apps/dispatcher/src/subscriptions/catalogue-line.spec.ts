import { beforeEach, describe, expect, it } from 'vitest';
import { CatalogueLine } from './catalogue-line.js';

let revision: number;
let failure: Error | undefined;
let looks: (() => void)[];
let became: string[];
let emptied: number;
let line: CatalogueLine;

beforeEach(() => {
  revision = 0;
  failure = undefined;
  looks = [];
  became = [];
  emptied = 0;
  line = new CatalogueLine(
    (needed) => revision >= needed,
    () =>
      new Promise((resolve, reject) => {
        looks.push(() => (failure ? reject(failure) : resolve()));
      }),
    () => emptied++,
  );
});

const settle = (): Promise<void> => new Promise(setImmediate);

function join(place: number, needed: number, onRelease?: () => void): void {
  line.join({
    place: BigInt(place),
    revision: needed,
    release: () => {
      became.push(String(place));
      return Promise.resolve().then(onRelease);
    },
    refuse: (error) => became.push(`${place} ${(error as Error).message}`),
  });
}

async function reach(reached: number): Promise<void> {
  revision = reached;
  looks.splice(0).forEach((look) => look());
  await settle();
}

describe('the line of those that wait for the catalogue', () => {
  it('lets them go on by their places, also one that comes back', async () => {
    join(7, 2);
    join(8, 1);
    join(3, 1);
    join(5, 1);
    await reach(1);
    expect(became).toEqual(['3', '5']);
    expect(emptied).toBe(0);
    await reach(2);
    expect(became).toEqual(['3', '5', '7', '8']);
    expect(emptied).toBe(1);
  });

  it('lets nobody pass who joins while the one before goes on', async () => {
    join(7, 1, () => join(5, 1));
    join(9, 1);
    await reach(1);
    expect(became).toEqual(['7', '5', '9']);
    expect(emptied).toBe(1);
  });

  it('gives all back when there is no more use in waiting', async () => {
    join(7, 1);
    join(8, 1);
    failure = new Error('over');
    await reach(0);
    expect(became).toEqual(['7 over', '8 over']);
    expect(emptied).toBe(1);
  });
});
