import { API_VERSION, metadataInput, Problem, resourceName, type LadderStep } from '@quittance/contracts';
import * as z from 'zod';
import type { Fault, Kind } from './kinds.js';

/** What a client asks a resource to be. */
export interface ResourceInput {
  spec: object;
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

const labelKey = z
  .string()
  .regex(
    /^[A-Za-z0-9]([-A-Za-z0-9_./]{0,251}[A-Za-z0-9])?$/,
    'must be 1 to 253 letters, digits, "-", "_", "." and "/"',
  );
const labelValue = z
  .string()
  .regex(
    /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
    'must be at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
  );
/** What a selector can name must be what a label can be. */
const labels = z.record(labelKey, labelValue);

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
  const envelope = z.strictObject({
    apiVersion: z.literal(API_VERSION).optional(),
    kind: z.literal(kind.kind).optional(),
    metadata: metadataInput
      .extend({
        name: z.literal(name, { error: `must be "${name}", as in the path` }).optional(),
        namespace: z.literal(namespace, { error: `must be "${namespace}", as in the path` }).optional(),
        labels: labels.optional(),
      })
      .prefault({}),
    spec: kind.spec,
    // Clients may send back what they were answered; the platform's own part of it is not theirs to set.
    status: z.unknown().optional(),
  });
  const parsed = envelope.safeParse(body);
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map(({ path, message }) => ({ path: pointer(path), message })));
  }
  const { spec, metadata } = parsed.data;
  const specFaults = kind.check(spec, ladder).map(({ path, message }) => ({ path: `/spec${path}`, message }));
  if (specFaults.length > 0) throw invalid(specFaults);
  return {
    spec,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    ...(metadata.resourceVersion !== undefined && { resourceVersion: metadata.resourceVersion }),
    ...(metadata.uid !== undefined && { uid: metadata.uid }),
  };
}

/** RFC 6901. */
function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${escaped(String(part))}`).join('');
}

function escaped(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

function invalid(faults: Fault[]): Problem {
  const [first] = faults;
  const detail = first ? `${first.path || 'The body'}: ${first.message}` : 'The resource is not valid.';
  return new Problem(
    'invalid_resource',
    faults.length > 1 ? `${detail} (and ${faults.length - 1} more)` : detail,
    {
      errors: faults.slice(0, MAX_FAULTS),
    },
  );
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
