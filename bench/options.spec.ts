import { describe, expect, it } from 'vitest';
import { readOptions } from './options.js';

function read(...args: string[]) {
  const options = readOptions(args);
  if (options === 'help') throw new Error('That was no call for help.');
  return options;
}

describe('options', () => {
  it('have the defaults of their scenario', () => {
    expect(read()).toMatchObject({ endpoints: 10, warmUpSeconds: 8, runs: 1 });
    expect(read('--scenario', 'neighbours')).toMatchObject({
      endpoints: 10,
      dead: 1,
      warmUpSeconds: 20,
      runs: 3,
    });
    expect(read('--scenario', 'neighbours-shared')).toMatchObject({ endpoints: 200, dead: 20 });
    expect(read('--scenario', 'backlog')).toMatchObject({ backlog: 100_000, warmUpSeconds: 20 });
  });

  it('outweigh them', () => {
    const given = read('--scenario', 'neighbours-shared', '--endpoints', '40', '--dead', '4', '--runs', '1');
    expect(given).toMatchObject({ endpoints: 40, dead: 4, runs: 1, warmUpSeconds: 20 });
  });

  it('leave somebody alive', () => {
    expect(() => read('--scenario', 'neighbours', '--dead', '10')).toThrow(
      '--dead must be a whole number from 1 to 9.',
    );
    expect(read('--scenario', 'neighbours-shared', '--endpoints', '5')).toMatchObject({ dead: 4 });
  });

  it('name a scenario that there is', () => {
    expect(() => read('--scenario', 'neighbors')).toThrow(
      /There is no scenario "neighbors"\. There are: throughput/,
    );
  });
});
