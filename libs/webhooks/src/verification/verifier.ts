import type { IncomingHttpHeaders } from 'node:http';

/** A request as it came in. */
export interface InboundRequest {
  /** Names in lower case, values as Node.js reads them: one character per byte. */
  headers: IncomingHttpHeaders;
  /** The bytes that were received, before anything has read them. */
  rawBody: Buffer;
}

/** Tells whether a request comes from whom it says. Holds keys that are ready for use: create it once per source. */
export interface Verifier {
  /**
   * Returns when the request proves who sent it.
   * @param nowMs our time, in epoch milliseconds
   * @throws VerificationError, and nothing else, whatever the request is
   */
  verify(request: InboundRequest, nowMs: number): void;
}
