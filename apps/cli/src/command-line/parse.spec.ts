import { describe, expect, it } from 'vitest';
import { CliError } from '../errors.js';
import { parseCommandLine } from './parse.js';

function refusal(line: string): string {
  try {
    parseCommandLine(line.split(' ').filter(Boolean));
  } catch (error) {
    if (error instanceof CliError && error.code === 'usage') return error.message;
    throw error;
  }
  throw new Error(`"${line}" was not refused.`);
}

describe('a command line', () => {
  it('is read with its options, wherever they stand', () => {
    expect(parseCommandLine(['topics', 'list'])).toEqual({ command: 'topics list', json: false });
    expect(parseCommandLine(['--json', 'topics', 'list'])).toEqual({ command: 'topics list', json: true });
    for (const line of [
      'topics grow events --partitions 24 --yes',
      'topics --yes grow --partitions=24 events',
    ]) {
      expect(parseCommandLine(line.split(' '))).toMatchObject({
        command: 'topics grow',
        kind: { name: 'events' },
        partitions: 24,
        confirmed: true,
      });
    }
  });

  it('is answered with help at every level', () => {
    const help = (line: string): string => {
      const parsed = parseCommandLine(line.split(' '));
      return parsed.command === 'help' ? (parsed.text.split('\n')[0] ?? '') : '';
    };
    expect(help('--help')).toBe('quittance <command>');
    expect(help('topics -h')).toBe('quittance topics <command>');
    expect(help('topics list --help')).toBe('quittance topics list [--json]');
    expect(help('topics grow --help')).toBe('quittance topics grow <topic> --partitions <n> [--yes]');
  });

  it('is refused with what is wrong, and where to read how it is right', () => {
    expect(refusal('')).toBe('Which command? See: quittance --help');
    expect(refusal('topic list')).toBe('There is no command "topic". See: quittance --help');
    expect(refusal('topics')).toBe('Which command of topics? See: quittance topics --help');
    expect(refusal('topics shrink')).toBe(
      'There is no command "topics shrink". See: quittance topics --help',
    );
    expect(refusal('topics list --jsn')).toBe("Unknown option '--jsn'. See: quittance --help");
    expect(refusal('topics list all')).toMatch(
      '"all" is one word too many. See: quittance topics list --help',
    );
    expect(refusal('topics list --yes')).toMatch('"topics list" has no option --yes.');
    expect(refusal('topics grow --partitions 9')).toMatch('Which topic? One of deliveries, retry,');
    expect(refusal('topics grow orders --partitions 9')).toMatch(
      'There is no topic "orders". There are: deliveries,',
    );
    expect(refusal('topics grow deliveries')).toMatch('Say --partitions <n>.');
  });

  it('takes a whole number of partitions only', () => {
    for (const text of ['0', '-1', '1.5', '1e3', 'many', '10001', ' ']) {
      expect(() => parseCommandLine(['topics', 'grow', 'retry', `--partitions=${text}`])).toThrow(
        '--partitions must be a whole number from 1 to 10000.',
      );
    }
  });
});
