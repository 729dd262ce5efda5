import { Problem, resourceName, type LadderStep } from '@quittance/contracts';
import * as z from 'zod';
import type { Fault, Kind } from './kinds.js';
import { resourceEnvelope } from './resource-envelope.js';

/** What a client asks a resource to be. */
export interface ResourceInput {
  spec: object;
  /** Where the kind has some and the client gave them. */
  secrets?: object;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Preconditions, where the client gave them. */
  resourceVersion?: string;
  uid?: string;
}

export interface ResourceAddress {
  kind: Kind;
  namespace: string;
  name: string;
}

const MAX_DEPTH = 100;
const MAX_FAULTS = 100;

/**
 * Checks a PUT's body and address.
 * @throws Problem `invalid_resource` with all that is wrong in `errors: [{path, message}]`
 */
export function parseResource(
  address: ResourceAddress,
  body: unknown,
  ladder: readonly LadderStep[],
): ResourceInput {
  const faults = [...checkAddress(address), ...checkText(body)];
  if (faults.length > 0) throw invalid(faults);
  const { kind, namespace, name } = address;
  const parsed = resourceEnvelope(kind, { namespace, name }).safeParse(body);
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map(({ path, message }) => ({ path: pointer(path), message })));
  }
  const { spec, secrets, metadata } = parsed.data;
  const specFaults = kind.check(spec, ladder).map(({ path, message }) => ({ path: `/spec${path}`, message }));
  if (specFaults.length > 0) throw invalid(specFaults);
  return {
    spec,
    ...(secrets !== undefined && { secrets }),
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    ...(metadata.resourceVersion !== undefined && { resourceVersion: metadata.resourceVersion }),
    ...(metadata.uid !== undefined && { uid: metadata.uid }),
  };
}

/** RFC 6901. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${escaped(String(part))}`).join('');
}

function escaped(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * @param code `invalid_resource`, or what says more
 * @param advice what to do about it, a sentence
 */
export function invalid(
  faults: readonly Fault[],
  code: 'invalid_resource' | 'incompatible_schema' = 'invalid_resource',
  advice?: string,
): Problem {
  const [first] = faults;
  const fault = first ? `${first.path || 'The body'}: ${first.message}` : 'The resource is not valid.';
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  const detail = advice === undefined ? fault + more : `${(fault + more).replace(/\.$/, '')}. ${advice}`;
  return new Problem(code, detail, { errors: faults.slice(0, MAX_FAULTS) });
}

function checkAddress({ kind, namespace, name }: ResourceAddress): Fault[] {
  return [
    ...checkName('/metadata/namespace', resourceName, namespace),
    ...checkName('/metadata/name', kind.name, name),
  ];
}

function checkName(path: string, schema: z.ZodType<string>, value: string): Fault[] {
  return (schema.safeParse(value).error?.issues ?? []).map(({ message }) => ({ path, message }));
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** JSON allows text and depth that Postgres' jsonb cannot hold. */
function checkText(body: unknown): Fault[] {
  const open: { value: unknown; path: string; depth: number }[] = [{ value: body, path: '', depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path, depth } = next;
    if (typeof value === 'string' && !isStorable(value)) {
      return [{ path, message: 'must be Unicode text without U+0000 and unpaired surrogates' }];
    }
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= MAX_DEPTH) {
      return [{ path: path.slice(0, 200), message: `is nested deeper than ${MAX_DEPTH} levels` }];
    }
    for (const [name, child] of Object.entries(value)) {
      if (!isStorable(name)) {
        return [{ path, message: 'has a name with U+0000 or an unpaired surrogate' }];
      }
      open.push({ value: child, path: `${path}/${escaped(name)}`, depth: depth + 1 });
    }
  }
  return [];
}
