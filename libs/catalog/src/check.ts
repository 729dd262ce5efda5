import type { EventTypeSpec, LadderStep, SubscriptionSpec } from '@quittance/contracts';
import { compileExpression } from './cel.js';
import { compileEventSchema, type Violation } from './event-schema.js';

/**
 * What a subscription's shape alone does not say: that its expressions can be used, and that the steps of its
 * schedule exist.
 * @returns problems, as JSON pointers into the spec; none when it can be saved
 */
export function checkSubscription(spec: SubscriptionSpec, ladder: readonly LadderStep[]): Violation[] {
  const problems: Violation[] = [];
  const { filter, transform } = spec;
  if (filter !== undefined) attempt(problems, '/filter', () => compileExpression(filter, 'bool'));
  if (transform !== undefined) attempt(problems, '/transform', () => compileExpression(transform, 'json'));
  const steps = ladder.map((step) => step.name);
  for (const [index, step] of (spec.delivery.retry.schedule ?? []).entries()) {
    if (steps.includes(step)) continue;
    problems.push({
      path: `/delivery/retry/schedule/${index}`,
      message: `"${step}" is not a step of the retry ladder: choose from ${steps.join(', ')}.`,
    });
  }
  return problems;
}

/** @returns problems, as JSON pointers into the spec; none when it can be saved */
export function checkEventType(spec: EventTypeSpec): Violation[] {
  const problems: Violation[] = [];
  const seen = new Set<string>();
  for (const [index, { version, schema }] of spec.versions.entries()) {
    if (seen.has(version)) {
      problems.push({
        path: `/versions/${index}/version`,
        message: `"${version}" stands here twice: give every version its own name.`,
      });
    }
    seen.add(version);
    attempt(problems, `/versions/${index}/schema`, () => compileEventSchema(schema));
  }
  return problems;
}

function attempt(problems: Violation[], path: string, compile: () => unknown): void {
  try {
    compile();
  } catch (error) {
    problems.push({ path, message: error instanceof Error ? error.message : 'cannot be used' });
  }
}
