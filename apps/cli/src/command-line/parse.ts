import { parseArgs } from 'node:util';
import { CliError } from '../errors.js';
import { findTopicKind, TOPIC_KINDS, type TopicKind } from '../topics/topic-kinds.js';
import { USAGE, type HelpTopic } from './usage.js';

export interface ListInvocation {
  command: 'topics list';
  json: boolean;
}

export interface GrowInvocation {
  command: 'topics grow';
  kind: TopicKind;
  /** In all, not in addition. */
  partitions: number;
  /** The consequences are known and wanted. */
  confirmed: boolean;
}

export type Invocation = { command: 'help'; text: string } | ListInvocation | GrowInvocation;

/** As for the set-up: more than that is a slip of the finger. */
const MAX_PARTITIONS = 10_000;

/** @throws CliError `usage` */
export function parseCommandLine(args: readonly string[]): Invocation {
  const { values, positionals } = parse(args);
  const [group, action, ...operands] = positionals;
  const at = helpTopic(group, action);
  if (values.help) return { command: 'help', text: USAGE[at] };
  switch (at) {
    case '':
      throw usage(group === undefined ? 'Which command?' : `There is no command "${group}".`, at);
    case 'topics':
      throw usage(
        action === undefined ? 'Which command of topics?' : `There is no command "topics ${action}".`,
        at,
      );
    case 'topics list':
      refuseFurther(operands, at);
      refuseOptions({ '--partitions': values.partitions, '--yes': values.yes }, at);
      return { command: at, json: values.json === true };
    case 'topics grow':
      refuseFurther(operands.slice(1), at);
      refuseOptions({ '--json': values.json }, at);
      return {
        command: at,
        kind: kindOf(operands[0]),
        partitions: partitionsOf(values.partitions),
        confirmed: values.yes === true,
      };
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        partitions: { type: 'string' },
        yes: { type: 'boolean' },
      },
    });
  } catch (error) {
    // Its message names the option, and explains at length how else to write it.
    const message = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    throw usage(message.endsWith('.') ? message : `${message}.`, '');
  }
}

function helpTopic(group: string | undefined, action: string | undefined): HelpTopic {
  if (group !== 'topics') return '';
  return action === 'list' || action === 'grow' ? `topics ${action}` : 'topics';
}

function kindOf(name: string | undefined): TopicKind {
  const names = TOPIC_KINDS.map((kind) => kind.name).join(', ');
  if (name === undefined) throw usage(`Which topic? One of ${names}.`, 'topics grow');
  const kind = findTopicKind(name);
  if (!kind) throw usage(`There is no topic "${name}". There are: ${names}.`, 'topics grow');
  return kind;
}

function partitionsOf(text: string | undefined): number {
  if (text === undefined) throw usage('How many partitions? Say --partitions <n>.', 'topics grow');
  const count = Number(text);
  if (/^\d{1,5}$/.test(text) && count >= 1 && count <= MAX_PARTITIONS) return count;
  throw usage(`--partitions must be a whole number from 1 to ${MAX_PARTITIONS}.`, 'topics grow');
}

function refuseFurther(operands: readonly string[], at: HelpTopic): void {
  if (operands.length > 0) throw usage(`"${operands[0]}" is one word too many.`, at);
}

function refuseOptions(options: Record<string, unknown>, at: HelpTopic): void {
  for (const [option, value] of Object.entries(options)) {
    if (value !== undefined) throw usage(`"${at}" has no option ${option}.`, at);
  }
}

function usage(problem: string, at: HelpTopic): CliError {
  const command = ['quittance', at, '--help'].filter(Boolean).join(' ');
  return new CliError('usage', `${problem} See: ${command}`);
}
