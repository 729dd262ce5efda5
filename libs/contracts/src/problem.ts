/** An RFC 9457 problem document. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  /** Stable, for programs. */
  code: string;
  detail?: string;
  [extension: string]: unknown;
}

/** What each code means: its HTTP status and its title. Every API answers errors from this table only. */
export const PROBLEMS = {
  malformed_request: [400, 'The request cannot be read'],
  invalid_cloudevent: [400, 'The request is not a valid CloudEvent'],
  invalid_cursor: [400, 'The page cursor is not one of ours'],
  unauthenticated: [401, 'A valid key is needed'],
  forbidden: [403, 'The key does not allow this'],
  not_found: [404, 'There is no such thing'],
  method_not_allowed: [405, 'This method is not allowed here'],
  ambiguous_event: [409, 'Several events have this id'],
  conflict: [409, 'The resource has changed in the meantime'],
  not_retryable: [409, 'The delivery cannot be retried'],
  payload_too_large: [413, 'The request is too large'],
  unsupported_media_type: [415, 'The content type is not supported'],
  unknown_event_type: [422, 'The event type is not in the catalogue'],
  schema_mismatch: [422, 'The data does not match the schema of its event type'],
  invalid_resource: [422, 'The resource is not valid'],
  internal: [500, 'Something went wrong on our side'],
  kafka_unavailable: [503, 'Kafka cannot be reached'],
  store_unavailable: [503, 'The database cannot be reached'],
  not_ready: [503, 'The service is not ready yet'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** An error that an API answers with. Its detail is shown to the client: no secrets, no internals. */
export class Problem extends Error {
  readonly status: number;

  /**
   * @param detail what was wrong with this request and what to do, in a sentence
   * @param extensions further members of the document, such as `errors: [{path, message}]`
   * @param headers HTTP headers of the answer, such as `retry-after`
   */
  constructor(
    readonly code: ProblemCode,
    detail: string,
    readonly extensions: Record<string, unknown> = {},
    readonly headers: Record<string, string> = {},
  ) {
    super(detail);
    this.status = PROBLEMS[code][0];
  }

  toDocument(): ProblemDocument {
    return {
      type: `https://quittance.dev/problems/${this.code.replaceAll('_', '-')}`,
      title: PROBLEMS[this.code][1],
      status: this.status,
      code: this.code,
      detail: this.message,
      ...this.extensions,
    };
  }
}
