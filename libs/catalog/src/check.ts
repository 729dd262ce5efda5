import {
  RESERVED_TYPE_PREFIX,
  type EventTypeSpec,
  type LadderStep,
  type SourceSpec,
  type SubscriptionSpec,
} from '@quittance/contracts';
import { parseRange } from './address-ranges.js';
import { compileExpression } from './cel.js';
import { compileEventSchema, type Violation } from './event-schema.js';
import { ExampleCheck } from './example-check.js';
import { compileSourceExpression } from './source.js';

/** Each of a thousand examples can violate its schema in twenty places: nobody reads so many. */
const MAX_PROBLEMS = 100;

/**
 * What a subscription's shape alone does not say: that its expressions can be used, that its fallback URLs are others,
 * and that the steps of its schedule exist.
 * @returns problems, as JSON pointers into the spec; none when it can be saved
 */
export function checkSubscription(spec: SubscriptionSpec, ladder: readonly LadderStep[]): Violation[] {
  const problems: Violation[] = [];
  const { filter, transform } = spec;
  if (filter !== undefined) attempt(problems, '/filter', () => compileExpression(filter, 'bool'));
  if (transform !== undefined) attempt(problems, '/transform', () => compileExpression(transform, 'json'));
  problems.push(...checkFallbackUrls(spec.destination.webhook));
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

/** Asking the same URL once more is no fallback. */
function checkFallbackUrls({ url, fallbackUrls }: SubscriptionSpec['destination']['webhook']): Violation[] {
  const seen = new Set([new URL(url).href]);
  return fallbackUrls.flatMap((fallback, index) => {
    const { href } = new URL(fallback);
    const isKnown = seen.has(href);
    seen.add(href);
    if (!isKnown) return [];
    return [
      {
        path: `/destination/webhook/fallbackUrls/${index}`,
        message: 'stands here already: give URLs that differ from "url" and from each other.',
      },
    ];
  });
}

/** @returns problems, as JSON pointers into the spec; none when it can be saved */
export function checkSource(spec: SourceSpec): Violation[] {
  const problems: Violation[] = [];
  const { type, id } = spec;
  if (type !== undefined && 'expression' in type) {
    attempt(problems, '/type/expression', () => compileSourceExpression(type.expression));
  } else if (type?.value.startsWith(RESERVED_TYPE_PREFIX)) {
    problems.push({
      path: '/type/value',
      message: `Types that begin with "${RESERVED_TYPE_PREFIX}" are reserved.`,
    });
  }
  if (id !== undefined) attempt(problems, '/id/expression', () => compileSourceExpression(id.expression));
  for (const [index, cidr] of spec.allowedCidrs.entries()) {
    attempt(problems, `/allowedCidrs/${index}`, () => parseRange(cidr));
  }
  return problems;
}

/**
 * That every schema can be used, and accepts the examples that stand beside it.
 * @returns at most 100 problems, as JSON pointers into the spec; none when it can be saved
 */
export function checkEventType(spec: EventTypeSpec): Violation[] {
  const problems: Violation[] = [];
  const seen = new Set<string>();
  const examples = new ExampleCheck();
  for (const [index, version] of spec.versions.entries()) {
    const name = version.version;
    if (seen.has(name)) {
      problems.push({
        path: `/versions/${index}/version`,
        message: `"${name}" stands here twice: give every version its own name.`,
      });
    }
    seen.add(name);
    attempt(problems, `/versions/${index}/schema`, () => {
      const schema = compileEventSchema(version.schema);
      problems.push(...examples.check(schema, version.examples, `/versions/${index}/examples`));
    });
  }
  return problems.slice(0, MAX_PROBLEMS);
}

function attempt(problems: Violation[], path: string, compile: () => unknown): void {
  try {
    compile();
  } catch (error) {
    problems.push({ path, message: error instanceof Error ? error.message : 'cannot be used' });
  }
}
