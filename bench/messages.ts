import type { Scheme } from './inbound-requests.ts';

/** What the generator is told to send. Times are those of `monotonicMs`. */
export interface LoadPlan {
  /** `http://host:port` */
  origin: string;
  path: string;
  authorization?: string;
  eventType: string;
  /** Event ids are `<idPrefix>-<number>`. */
  idPrefix: string;
  /** The number of the first event; the others follow. */
  firstEvent: number;
  events: number;
  /** Events per second. */
  rate: number;
  /** When the first one is due. */
  startAt: number;
  /** Events per request; above 1 the CloudEvents batch mode is used. */
  batch: number;
  /** Bytes of one event as it is sent. */
  bodyBytes: number;
  /** Requests under way at once. What is due beyond that waits, and its latency counts on. */
  outstanding: number;
  /** What has not been sent this long after the last one was due is not sent at all, in milliseconds. */
  giveUpAfterMs: number;
}

/** A request that never got an answer. */
export const NO_ANSWER = 0;
/** A request that was given up before it was sent. */
export const NOT_SENT = -1;

/** What became of each event on its way into the system; positions count from `firstEvent`. */
export interface SendRecord {
  /** HTTP status, {@link NO_ANSWER} or {@link NOT_SENT}. */
  status: Int16Array;
  dueAt: Float64Array;
  /** When its request was handed to the socket. */
  sentAt: Float64Array;
  /** When the head of the answer had been read. */
  answeredAt: Float64Array;
  /** Requests that were due while `outstanding` others were under way. */
  heldBack: number;
  /** The most requests that were due and not sent at one time. */
  longestQueue: number;
  /** Requests without an answer, by error code. */
  errors: Record<string, number>;
}

export type GeneratorRequest = { type: 'run'; plan: LoadPlan };
export type GeneratorReply = { type: 'sent'; record: SendRecord };

export interface Expectation {
  firstEvent: number;
  events: number;
  endpoints: number;
}

/** What has arrived; positions are `endpoint * events + (number - firstEvent)`. */
export interface Arrivals {
  /** Of the first request for the event at the endpoint; 0 = none. */
  arrivedAt: Float64Array;
  /** Requests for the event at the endpoint. */
  count: Uint16Array;
  /** All requests since `expect`, those counted above and those that fit nothing that is expected. */
  requests: number;
}

export type ReceiverRequest =
  | { type: 'listen'; host: string; answerDelayMs: number }
  | { type: 'expect'; expectation: Expectation }
  /** Endpoints that take requests in and never answer; requests to them are no arrivals. All others answer. */
  | { type: 'silence'; endpoints: readonly number[] }
  | { type: 'progress' }
  | { type: 'collect' };
export type ReceiverReply =
  | { type: 'listening'; origin: string; paths: string }
  | { type: 'expecting' }
  | { type: 'silenced' }
  /** `unanswered`: requests to silent endpoints since `expect`. */
  | { type: 'progress'; distinct: number; requests: number; unanswered: number }
  | { type: 'collected'; arrivals: Arrivals };

export type SenderRequest =
  | { type: 'prepare'; scheme: Scheme; bodyBytes: number }
  | { type: 'run'; origin: string; path: string; connections: number; seconds: number };
export type SenderReply =
  { type: 'prepared' } | { type: 'ran'; answers: Record<number, number>; tookMs: number };

export type SinkRequest = { type: 'listen'; host: string } | { type: 'count' };
export type SinkReply =
  { type: 'listening'; origin: string } | { type: 'counted'; requests: number; bytes: number };

export type WatchRequest =
  | { type: 'open'; brokers: string; prefix: string; ladder?: string }
  | { type: 'retries' }
  | { type: 'backlog' };
export type WatchReply =
  | { type: 'opened' }
  /** Records written to all retry topics, ever. */
  | { type: 'retries'; written: number }
  /** Records of `deliveries` that the dispatcher has not finished. */
  | { type: 'backlog'; records: number };
