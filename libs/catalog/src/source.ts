import {
  eventTypeName,
  hasControlCharacters,
  MAX_EVENT_ID_BYTES,
  type SourceResource,
  type SourceSpec,
} from '@quittance/contracts';
import { maxHeaderSize } from 'node:http';
import { AddressRanges } from './address-ranges.js';
import { requestEnvironment } from './cel-environment.js';
import { compileExpression, type CelInput, type Expression } from './cel.js';
import { DefinitionError } from './definition-error.js';

/** An inbound request as a source's expressions see it. */
export interface SourceRequest {
  /** By their names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** Parsed; the text of a raw body; `null` when there is none. */
  body: unknown;
  query: Readonly<Record<string, string | string[]>>;
  /** The body's size as it was received. */
  bodyBytes: number;
}

/** A text that an expression gave, or why it gave none that can be used. */
export type SourceText = { ok: true; value: string } | { ok: false; reason: string };

/** A source, ready to read requests with. */
export interface CompiledSource {
  readonly resource: SourceResource;
  /** The event's type. Missing when the spec does not say how to tell it. Never throws. */
  readonly type?: (request: SourceRequest) => SourceText;
  /** The event's id, at most 512 bytes. Missing when the spec does not say how to tell it. Never throws. */
  readonly id?: (request: SourceRequest) => SourceText;
  /** True for every address when the source has no list. A malformed address is on no list. */
  allowsAddress(ip: string): boolean;
}

/** @throws DefinitionError when an expression or a range of addresses cannot be used */
export function compileSource(resource: SourceResource): CompiledSource {
  const { type, id, allowedCidrs } = resource.spec;
  return {
    resource,
    ...(type && { type: typeReader(type) }),
    ...(id && { id: textReader('id', id.expression, problemOfId) }),
    allowsAddress: addressRule(allowedCidrs),
  };
}

/**
 * Stands in for a source that does not compile and of which no earlier version is known: it can be found, yet no event
 * comes of what is sent there.
 */
export function brokenSource(resource: SourceResource, problem: string): CompiledSource {
  const failed: SourceText = { ok: false, reason: problem };
  let allowsAddress = (_ip: string): boolean => false;
  try {
    allowsAddress = addressRule(resource.spec.allowedCidrs);
  } catch (error) {
    // A list that cannot be read lets nobody in.
    if (!(error instanceof DefinitionError)) throw error;
  }
  return { resource, type: () => failed, id: () => failed, allowsAddress };
}

/** @throws DefinitionError */
export function compileSourceExpression(expression: string): Expression {
  return compileExpression(expression, 'text', requestEnvironment);
}

/** @throws DefinitionError */
function addressRule(cidrs: readonly string[]): (ip: string) => boolean {
  if (cidrs.length === 0) return () => true;
  const ranges = new AddressRanges(cidrs);
  return (ip) => ranges.include(ip);
}

function typeReader(type: NonNullable<SourceSpec['type']>): (request: SourceRequest) => SourceText {
  if ('expression' in type) return textReader('type', type.expression, problemOfType);
  const fixed: SourceText = { ok: true, value: type.value };
  return () => fixed;
}

/** @param problemOf what is wrong with a text that was found; `undefined` when it can be used */
function textReader(
  what: 'type' | 'id',
  expression: string,
  problemOf: (text: string) => string | undefined,
): (request: SourceRequest) => SourceText {
  const compiled = compileSourceExpression(expression);
  const failed = (reason: string): SourceText => ({
    ok: false,
    reason: `The expression for the ${what} ${reason}`,
  });
  return (request) => {
    const result = compiled.evaluate(inputOf(request));
    if (!result.ok) return failed(`failed: ${result.reason}`);
    const { value } = result;
    if (typeof value !== 'string') {
      return failed(`gave a value of type ${value === null ? 'null' : typeof value}; it must give a text.`);
    }
    const problem = value === '' ? 'is empty' : problemOf(value);
    return problem === undefined ? { ok: true, value } : failed(`gave a text that ${problem}.`);
  };
}

function inputOf({ headers, body, query, bodyBytes }: SourceRequest): CelInput {
  return {
    variables: { headers, body: body ?? null, query },
    // Headers and query together are at most what Node reads of a request's head.
    dataBytes: bodyBytes + maxHeaderSize,
    dataProblem: undefined,
  };
}

function problemOfType(text: string): string | undefined {
  return eventTypeName.safeParse(text).success ? undefined : 'is not the name of an event type';
}

function problemOfId(text: string): string | undefined {
  if (Buffer.byteLength(text) > MAX_EVENT_ID_BYTES) return `is longer than ${MAX_EVENT_ID_BYTES} bytes`;
  return hasControlCharacters(text) ? 'has control characters' : undefined;
}
