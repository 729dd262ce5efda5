import * as z from 'zod';

/** An RFC 9457 problem document. */
export const problemDocument = z
  .looseObject({
    type: z.string().describe('A URI that names the code.'),
    title: z.string().describe('What the code means.'),
    status: z.number().int(),
    code: z.string().describe('Stable, for programs.'),
    detail: z.string().optional().describe('What was wrong with this request and what to do, for a person.'),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('Where more than one thing can be wrong: each, and where it is.'),
    traceId: z.string().optional().describe('For whoever runs the installation.'),
  })
  .meta({ id: 'Problem' });
export type ProblemDocument = z.infer<typeof problemDocument>;

/** What each code means: its HTTP status and its title. Every API answers errors from this table only. */
export const PROBLEMS = {
  malformed_request: [400, 'The request cannot be read'],
  invalid_cloudevent: [400, 'The request is not a valid CloudEvent'],
  invalid_cursor: [400, 'The page cursor is not one of ours'],
  unauthenticated: [401, 'A valid key is needed'],
  key_expired: [401, 'The key has expired'],
  key_revoked: [401, 'The key was revoked'],
  signature_missing: [401, 'The request carries no proof of who sent it'],
  signature_invalid: [401, 'The request does not prove who sent it'],
  timestamp_out_of_tolerance: [401, 'The signed time is too far from ours'],
  forbidden: [403, 'The key does not allow this'],
  address_not_allowed: [403, 'The address may not send here'],
  handshake_refused: [403, 'The handshake is not allowed'],
  not_found: [404, 'There is no such thing'],
  method_not_allowed: [405, 'This method is not allowed here'],
  request_timeout: [408, 'The request took too long to arrive'],
  ambiguous_event: [409, 'Several events have this id'],
  conflict: [409, 'The resource has changed in the meantime'],
  not_retryable: [409, 'The delivery cannot be retried'],
  not_cancellable: [409, 'The replay cannot be cancelled'],
  not_replayable: [409, 'Nothing can be sent again to the subscription now'],
  not_movable: [409, 'The subscription cannot be moved'],
  replay_under_way: [409, 'Such a replay is under way already'],
  namespace_not_empty: [409, 'The namespace still has resources'],
  payload_too_large: [413, 'The request is too large'],
  unsupported_media_type: [415, 'The content type is not supported'],
  unknown_event_type: [422, 'The event type is not in the catalogue'],
  unknown_schema_version: [422, 'The event type has no such version'],
  schema_mismatch: [422, 'The data does not match the schema of its event type'],
  event_type_missing: [422, 'The event has no type'],
  event_not_derived: [422, 'Type or id cannot be told from the request'],
  incompatible_schema: [422, 'The changed schema refuses what the one before accepted'],
  catalogue_too_large: [422, 'The catalogue is too large for one document'],
  no_sample: [422, 'There is nothing to send'],
  invalid_resource: [422, 'The resource is not valid'],
  partition_shared: [422, 'The subscription needs a home partition of its own'],
  rate_limited: [429, 'Too many events'],
  headers_too_large: [431, 'The headers are too large'],
  internal: [500, 'Something went wrong on our side'],
  kafka_unavailable: [503, 'Kafka cannot be reached'],
  store_unavailable: [503, 'The database cannot be reached'],
  service_unavailable: [503, 'Another service of this installation cannot be reached'],
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
