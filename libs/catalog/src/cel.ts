import type { Environment, ParseResult } from '@marcbachmann/cel-js';
import type { CloudEventAttributes } from '@quittance/contracts';
import { eventEnvironment, REPLACED } from './cel-environment.js';
import { guardExpression, type ExpressionShape } from './cel-guards.js';
import { DefinitionError } from './definition-error.js';
import { runWithin } from './watchdog.js';

/** What an expression is evaluated over. */
export interface CelInput {
  readonly variables: Readonly<Record<string, unknown>>;
  /** How large the variables are as text; decides whether the time of an evaluation is watched. */
  readonly dataBytes: number;
  /** Why a part of the data is missing; stands in the reason of an evaluation that fails. */
  readonly dataProblem: string | undefined;
}

/** The event as expressions see it. Made once per event by {@link celEvent}. */
export interface CelEvent extends CelInput {
  readonly variables: { readonly event: Readonly<Record<string, unknown>> };
}

/** The data for {@link celEvent}: parsed JSON, or why there is none. */
export type CelData = { value: unknown; bytes: number } | { problem: string };

export type Evaluation = { ok: true; value: unknown } | { ok: false; reason: string };

/** A compiled expression. */
export interface Expression {
  readonly source: string;
  /** Never throws; the reason is for a person. */
  evaluate(input: CelInput): Evaluation;
}

/**
 * Of one evaluation whose size makes it worth watching. It bounds memory too, of which 100 ms can fill some 250 MB.
 */
const TIME_LIMIT_MS = 100;
/**
 * Steps below which an evaluation is not watched: about 50 ms at worst. A filter of 20 nodes stays below with
 * 1 MiB of data, and one whose comprehension may walk the data again with 2 KiB.
 */
const UNWATCHED_LINEAR_STEPS = 25e6;
const UNWATCHED_QUADRATIC_STEPS = 1e8;
const MAX_SHOWN_PROBLEM = 300;

/** @param data `event.data`; when it cannot be had, expressions that do not touch it still work */
export function celEvent(attributes: CloudEventAttributes, data: CelData): CelEvent {
  const event: Record<string, unknown> = { specversion: '1.0', ...attributes.extensions };
  event['id'] = attributes.id;
  event['source'] = attributes.source;
  event['type'] = attributes.type;
  if (attributes.time !== undefined) event['time'] = attributes.time;
  if (attributes.subject !== undefined) event['subject'] = attributes.subject;
  if (attributes.dataschema !== undefined) event['dataschema'] = attributes.dataschema;
  if (attributes.datacontenttype !== undefined) event['datacontenttype'] = attributes.datacontenttype;
  if ('problem' in data) return { variables: { event }, dataBytes: 0, dataProblem: data.problem };
  event['data'] = data.value;
  return { variables: { event }, dataBytes: data.bytes, dataProblem: undefined };
}

/** What an expression must give, by what it is for. */
const GIVES = {
  bool: { type: 'bool', text: 'true or false' },
  json: { type: undefined, text: 'anything' },
  text: { type: 'string', text: 'a text' },
} as const;

/**
 * Parses, guards and type-checks an expression.
 * @param wants `bool` for a filter, `json` for a transform, `text` for an event's type or id
 * @param environment the variables that it may use; by default `event`
 * @throws DefinitionError with a message for the expression's author
 */
export function compileExpression(
  source: string,
  wants: keyof typeof GIVES,
  environment: Environment = eventEnvironment,
): Expression {
  const { program, shape } = parse(source, environment);
  const checked = program.check();
  if (!checked.valid) throw new DefinitionError(describe(checked.error));
  const { type, text } = GIVES[wants];
  if (type !== undefined && checked.type !== type && checked.type !== 'dyn') {
    throw new DefinitionError(
      `The expression gives ${checked.type ?? 'something else'}; it must give ${text}.`,
    );
  }
  return { source, evaluate: (input) => evaluate(program, shape, input) };
}

function parse(source: string, environment: Environment): { program: ParseResult; shape: ExpressionShape } {
  try {
    const program = environment.parse(source);
    return { program, shape: guardExpression(program.ast) };
  } catch (error) {
    throw error instanceof DefinitionError ? error : new DefinitionError(describe(error), { cause: error });
  }
}

function evaluate(program: ParseResult, shape: ExpressionShape, input: CelInput): Evaluation {
  // A missing field is an ordinary result, and its error's stack is what it costs: 8 µs instead of 2.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const value: unknown = isLong(shape, input.dataBytes)
      ? runWithin<unknown>(TIME_LIMIT_MS, () => program(input.variables))
      : program(input.variables);
    return { ok: true, value };
  } catch (error) {
    const reason = describe(error, false);
    return {
      ok: false,
      reason: input.dataProblem === undefined ? reason : `${reason} (${input.dataProblem})`,
    };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function isLong(shape: ExpressionShape, dataBytes: number): boolean {
  const size = dataBytes + shape.nodes;
  return shape.quadratic
    ? shape.nodes * size * size > UNWATCHED_QUADRATIC_STEPS
    : shape.nodes * size > UNWATCHED_LINEAR_STEPS;
}

const OUR_NAMES = [...REPLACED].map(([theirs, ours]) => [`${ours}(`, `${theirs}(`] as const);

/** An error of the CEL library in one line: without the source excerpt, and without our names for its functions. */
function describe(error: unknown, withPosition = true): string {
  if (!(error instanceof Error)) return 'The expression failed.';
  if (error instanceof RangeError) return 'The expression went too deep or made too large a value.';
  let text = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
  for (const [ours, theirs] of OUR_NAMES) text = text.replaceAll(ours, theirs);
  text = text.replaceAll(/dyn<([a-z]+)>/g, '$1');
  if (text.length > MAX_SHOWN_PROBLEM) text = `${text.slice(0, MAX_SHOWN_PROBLEM)}…`;
  const range = 'range' in error ? (error.range as { start: number } | undefined) : undefined;
  return withPosition && range !== undefined ? `${text} (at character ${range.start + 1})` : text;
}
