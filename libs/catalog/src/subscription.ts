import {
  parseDuration,
  type LadderStep,
  type SubscriptionResource,
  type SubscriptionSpec,
} from '@quittance/contracts';
import { compileExpression, type CelEvent, type Expression } from './cel.js';
import { ResultError, toJsonValue } from './cel-result.js';

export type FilterResult =
  { matched: true } | { matched: false; code: 'filter_false' | 'filter_error'; reason: string };

export type TransformResult =
  { ok: true; value: unknown } | { ok: false; code: 'transform_failed' | 'body_too_large'; reason: string };

/** A subscription, ready to route with. */
export interface CompiledSubscription {
  readonly name: string;
  readonly resource: SubscriptionResource;
  /** The delays between attempts, in order. */
  readonly schedule: readonly LadderStep[];
  readonly timeoutMs: number;
  /** How long it may be paused or unreachable before it is suspended; `undefined`: the installation's defaults. */
  readonly holdMs: number | undefined;
  /** False when the subscription has no filter: every event of its types matches. */
  readonly hasFilter: boolean;
  /** Never throws: an expression that fails does not match, and the reason says why. */
  filter(event: CelEvent): FilterResult;
  /** Missing when the subscription sends the data as it is. Never throws. */
  readonly transform?: (event: CelEvent) => TransformResult;
}

const MATCHED: FilterResult = { matched: true };
const FALSE: FilterResult = {
  matched: false,
  code: 'filter_false',
  reason: 'The filter is false for this event.',
};

/** @throws DefinitionError when the filter or the transform cannot be used */
export function compileSubscription(
  resource: SubscriptionResource,
  ladder: readonly LadderStep[],
): CompiledSubscription {
  const { filter, transform } = resource.spec;
  const compiledFilter = filter === undefined ? undefined : compileExpression(filter, 'bool');
  const compiledTransform = transform === undefined ? undefined : compileExpression(transform, 'json');
  return {
    ...facts(resource, ladder),
    hasFilter: compiledFilter !== undefined,
    filter: compiledFilter === undefined ? () => MATCHED : (event) => runFilter(compiledFilter, event),
    ...(compiledTransform && { transform: (event: CelEvent) => runTransform(compiledTransform, event) }),
  };
}

/**
 * Stands in for a subscription that does not compile and of which no earlier version is known: it matches nothing,
 * and says so in the record of every event, instead of being forgotten.
 */
export function brokenSubscription(
  resource: SubscriptionResource,
  ladder: readonly LadderStep[],
  problem: string,
): CompiledSubscription {
  const result: FilterResult = { matched: false, code: 'filter_error', reason: problem };
  return {
    ...facts(resource, ladder),
    hasFilter: true,
    filter: () => result,
    transform: () => ({ ok: false, code: 'transform_failed', reason: problem }),
  };
}

function facts(resource: SubscriptionResource, ladder: readonly LadderStep[]) {
  return {
    name: resource.metadata.name,
    resource,
    schedule: resolveSchedule(resource.spec, ladder),
    timeoutMs: parseDuration(resource.spec.destination.webhook.timeout),
    holdMs:
      resource.spec.delivery.hold === undefined ? undefined : parseDuration(resource.spec.delivery.hold),
  };
}

/**
 * A step that the ladder no longer has becomes the next longer one, or its longest: a ladder that changed must not
 * take a subscription's retries away.
 */
function resolveSchedule(spec: SubscriptionSpec, ladder: readonly LadderStep[]): readonly LadderStep[] {
  const { schedule } = spec.delivery.retry;
  if (schedule === undefined) return ladder;
  return schedule.flatMap((name) => {
    const exact = ladder.find((step) => step.name === name);
    if (exact) return [exact];
    const delayMs = durationOf(name);
    const nearest = ladder.find((step) => step.delayMs >= delayMs) ?? ladder.at(-1);
    return nearest ? [nearest] : [];
  });
}

function durationOf(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    return 0;
  }
}

function runFilter(filter: Expression, event: CelEvent): FilterResult {
  const result = filter.evaluate(event);
  if (!result.ok) return { matched: false, code: 'filter_error', reason: result.reason };
  if (result.value === true) return MATCHED;
  if (result.value === false) return FALSE;
  const type = result.value === null ? 'null' : typeof result.value;
  return {
    matched: false,
    code: 'filter_error',
    reason: `The filter gave a value of type ${type} for this event; it must give true or false.`,
  };
}

function runTransform(transform: Expression, event: CelEvent): TransformResult {
  const result = transform.evaluate(event);
  if (!result.ok) return { ok: false, code: 'transform_failed', reason: result.reason };
  try {
    return { ok: true, value: toJsonValue(result.value) };
  } catch (error) {
    if (error instanceof ResultError) return { ok: false, code: error.code, reason: error.message };
    return { ok: false, code: 'transform_failed', reason: 'The result cannot be written as JSON.' };
  }
}
