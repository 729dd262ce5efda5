import type { TraceContext } from '@quittance/contracts';

/** A trace context, taken apart. */
export interface SpanParent {
  traceId: string;
  spanId: string;
  sampled: boolean;
  tracestate: string | undefined;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** What W3C asks every participant to pass on at least; longer ones are dropped whole. */
const MAX_TRACESTATE_LENGTH = 512;

/** @returns `undefined` for anything that W3C Trace Context calls invalid: whoever gets it starts a new trace. */
export function parseTraceparent(context: TraceContext | undefined): SpanParent | undefined {
  if (context === undefined || context.traceparent.length > 256) return undefined;
  const match = TRACEPARENT.exec(context.traceparent);
  if (!match) return undefined;
  const [, version, traceId, spanId, flags, more] = match;
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  // Later versions may append fields, version 00 may not; ff is forbidden.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const { tracestate } = context;
  return {
    traceId,
    spanId,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
    tracestate:
      tracestate !== undefined && tracestate.length <= MAX_TRACESTATE_LENGTH ? tracestate : undefined,
  };
}
