import type { SourceSpec } from '@quittance/contracts';
import type { AcceptedEvent } from '../publishing/event-publisher.js';

/** What a sender is answered. */
export interface InboundAnswer {
  status: number;
  headers: Record<string, string>;
  /** An object is sent as JSON. */
  body: string | AcceptedEvent;
}

const NO_CONTENT = new Set([204, 205]);

/** Once Kafka has the event: what the source chose, else what its provider expects. */
export function answerTo({ answer, verify }: SourceSpec, event: AcceptedEvent): InboundAnswer {
  if (answer) {
    if (NO_CONTENT.has(answer.status)) return { status: answer.status, headers: {}, body: '' };
    return { status: answer.status, headers: { 'content-type': answer.contentType }, body: answer.body };
  }
  if (verify.type === 'slack') return textAnswer('');
  return { status: 202, headers: {}, body: event };
}

export function textAnswer(body: string): InboundAnswer {
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}
