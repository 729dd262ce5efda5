import {
  createTraceState,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type AttributeValue,
  type Link,
  type SpanContext,
  type SpanKind,
  type Tracer,
} from '@opentelemetry/api';
import type { TraceContext } from '@quittance/contracts';
import { epochNow } from './clock.js';
import { newSpanId, newTraceId } from './random-id.js';
import { parseTraceparent, type SpanParent } from './traceparent.js';

export interface SpanOptions {
  kind: SpanKind;
  /** Missing or invalid: the span begins a new trace. */
  parent?: TraceContext | undefined;
  links?: readonly TraceContext[];
  /** A function is called only if the span is exported. */
  attributes?: Attributes | (() => Attributes);
  /** Epoch milliseconds; fractions count. */
  startTime?: number;
}

/** A span that has begun. It is given to the SDK when it ends, so one that is not exported costs next to nothing. */
export interface ActiveSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** To inject into whatever is called or sent from within this span. */
  readonly context: TraceContext;
  /** Whether attributes that cost something to find are worth finding. */
  readonly isRecording: boolean;
  setAttribute(name: string, value: AttributeValue): void;
  /**
   * Marks the span as failed. A failed span is exported even when its trace is not sampled: under its own id, below a
   * parent that was not exported.
   * @param errorType stable and of low cardinality; becomes `error.type`
   */
  fail(errorType: string, message?: string): void;
  /** @param endTime epoch milliseconds. Only the first call counts. */
  end(endTime?: number): void;
}

/** How finished spans leave; installed by `startTelemetry`. */
export interface SpanSink {
  tracer: Tracer;
  /** Share of new traces that are sampled, 0 to 1. */
  ratio: number;
}

let sink: SpanSink | undefined;
/** Ids that the SDK takes for the span that is being handed to it. */
const pending = { traceId: '', spanId: '' };

/** Makes the SDK use the ids that were propagated long before it hears of the span. */
export const pendingIds = {
  generateTraceId: (): string => pending.traceId,
  generateSpanId: (): string => pending.spanId,
};

export function setSpanSink(next: SpanSink | undefined): void {
  sink = next;
}

export function startSpan(name: string, options: SpanOptions): ActiveSpan {
  return new DeferredSpan(name, options);
}

class DeferredSpan implements ActiveSpan {
  readonly traceId: string;
  readonly spanId = newSpanId();
  private readonly parent: SpanParent | undefined;
  private readonly sampled: boolean;
  private readonly startTime: number;
  private extra: Attributes | undefined;
  private failure: { type: string; message: string | undefined } | undefined;
  private injected: TraceContext | undefined;
  private ended = false;

  constructor(
    private readonly name: string,
    private readonly options: SpanOptions,
  ) {
    this.parent = parseTraceparent(options.parent);
    this.traceId = this.parent?.traceId ?? newTraceId();
    // Without a sink nobody records: telling the next in line that somebody did would be a lie.
    this.sampled = this.parent ? this.parent.sampled : sink !== undefined && Math.random() < sink.ratio;
    this.startTime = options.startTime ?? epochNow();
  }

  get context(): TraceContext {
    if (this.injected) return this.injected;
    const traceparent = `00-${this.traceId}-${this.spanId}-${this.sampled ? '01' : '00'}`;
    const tracestate = this.parent?.tracestate;
    this.injected = tracestate === undefined ? { traceparent } : { traceparent, tracestate };
    return this.injected;
  }

  get isRecording(): boolean {
    return sink !== undefined && !this.ended && (this.sampled || this.failure !== undefined);
  }

  setAttribute(name: string, value: AttributeValue): void {
    if (sink === undefined) return;
    this.extra ??= {};
    this.extra[name] = value;
  }

  fail(errorType: string, message?: string): void {
    this.failure = { type: errorType, message };
  }

  end(endTime?: number): void {
    if (this.ended) return;
    if (sink !== undefined && (this.sampled || this.failure !== undefined)) this.hand(sink.tracer, endTime);
    this.ended = true;
  }

  private hand(tracer: Tracer, endTime: number | undefined): void {
    const { attributes, kind } = this.options;
    pending.traceId = this.traceId;
    pending.spanId = this.spanId;
    const span = tracer.startSpan(
      this.name,
      {
        kind,
        startTime: this.startTime,
        attributes: { ...(typeof attributes === 'function' ? attributes() : attributes), ...this.extra },
        links: linksOf(this.options.links),
      },
      this.parent ? trace.setSpanContext(ROOT_CONTEXT, toSpanContext(this.parent)) : ROOT_CONTEXT,
    );
    if (this.failure) {
      span.setAttribute('error.type', this.failure.type);
      const { message } = this.failure;
      span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
    }
    span.end(endTime ?? epochNow());
  }
}

function toSpanContext(parent: SpanParent): SpanContext {
  return {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(parent.tracestate === undefined ? {} : { traceState: createTraceState(parent.tracestate) }),
  };
}

function linksOf(contexts: readonly TraceContext[] | undefined): Link[] {
  const links: Link[] = [];
  for (const context of contexts ?? []) {
    const linked = parseTraceparent(context);
    if (linked) links.push({ context: toSpanContext(linked) });
  }
  return links;
}
