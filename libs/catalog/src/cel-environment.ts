import { Environment, EvaluationError } from '@marcbachmann/cel-js';
import { linearRegExp } from './linear-regexp.js';

/** Syntax nodes of one expression. A filter of five comparisons has about 40. */
const MAX_NODES = 1000;
const MAX_DURATION_LENGTH = 64;
/** A body is at most 1 MiB, so a longer text can only be an accident or an attack on memory. */
const MAX_JOINED_LENGTH = 1024 * 1024;
const SYNC = { async: false };

/**
 * Functions of the CEL library that we replace, because theirs can block or exhaust the process: `matches`
 * backtracks, `duration` reads with a cubic pattern, `join` builds texts of any size. The library refuses a second
 * function of the same signature, so calls are renamed between parsing and checking.
 */
export const REPLACED: ReadonlyMap<string, string> = new Map([
  ['matches', 'matches_'],
  ['duration', 'duration_'],
  ['join', 'join_'],
]);

const plain = new Environment().registerVariable('text', 'string');
const parseDuration = plain.parse('duration(text)');

function duration(text: string): unknown {
  if (text.length > MAX_DURATION_LENGTH) {
    throw new EvaluationError(`duration() takes at most ${MAX_DURATION_LENGTH} characters`);
  }
  return parseDuration({ text });
}

function matches(text: string, pattern: string): boolean {
  try {
    return linearRegExp(pattern).test(text);
  } catch (error) {
    throw new EvaluationError(error instanceof Error ? error.message : 'invalid regular expression');
  }
}

function join(list: Iterable<unknown>, separator = ''): string {
  const parts: string[] = [];
  let length = 0;
  for (const part of list) {
    if (typeof part !== 'string') throw new EvaluationError('join(): the list must contain only strings');
    length += part.length + separator.length;
    if (length > MAX_JOINED_LENGTH) throw new EvaluationError('join(): the result is larger than 1 MiB');
    parts.push(part);
  }
  return parts.join(separator);
}

/** JSON numbers are doubles and CEL's literals are ints: without these, `total + 1` has no overload. */
const MIXED: Record<string, (left: number, right: number) => number> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};

function createEnvironment(variables: Readonly<Record<string, string>>): Environment {
  const environment = new Environment({
    homogeneousAggregateLiterals: false,
    limits: {
      maxAstNodes: MAX_NODES,
      maxDepth: 50,
      maxListElements: 500,
      maxMapEntries: 500,
      maxCallArguments: 8,
    },
  });
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  for (const [operator, compute] of Object.entries(MIXED)) {
    environment.registerOperator(`double ${operator} int: double`, (left: number, right: bigint) =>
      compute(left, Number(right)),
    );
    environment.registerOperator(`int ${operator} double: double`, (left: bigint, right: number) =>
      compute(Number(left), right),
    );
  }
  environment.registerOperator('double % double', (left: number, right: number) => left % right);
  // `<`, `<=`, `>` and `>=` come with the library; equality of statically typed numbers does not.
  environment.registerOperator(
    'int == double: bool',
    (left: bigint, right: number) => Number(left) === right,
  );
  environment.registerFunction('string.matches_(string): bool', matches, SYNC);
  environment.registerFunction('matches_(string, string): bool', matches, SYNC);
  environment.registerFunction('duration_(string): google.protobuf.Duration', duration, SYNC);
  environment.registerFunction('list<string>.join_(): string', join, SYNC);
  environment.registerFunction('list<string>.join_(string): string', join, SYNC);
  return environment;
}

/** What every filter and transform is compiled against: the variable `event`, and functions that end. */
export const eventEnvironment = createEnvironment({ event: 'map<string, dyn>' });

/** What a source's expressions are compiled against: the parts of an inbound request, and the same functions. */
export const requestEnvironment = createEnvironment({
  headers: 'map<string, string>',
  body: 'dyn',
  query: 'map<string, dyn>',
});
