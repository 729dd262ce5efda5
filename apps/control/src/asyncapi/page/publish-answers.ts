import { PROBLEMS, type ProblemCode } from '@quittance/contracts';

/** What a publisher is to do about each problem that `POST /v1/events` answers with. */
const ADVICE = {
  malformed_request: 'Send JSON in UTF-8, with the right content type.',
  invalid_cloudevent: 'Mend what "errors" names: a required attribute is missing, or one has a wrong form.',
  unauthenticated: 'Send "Authorization: Bearer <key>" with a key of this namespace.',
  key_expired: 'Rotate the key, or make a new one.',
  key_revoked: 'Make a new key.',
  forbidden: 'Use a key with the scope "publish". Types that begin with "quittance." are reserved.',
  request_timeout: 'Send the whole request faster.',
  payload_too_large: 'Send less: 1 MiB at most, or what the namespace allows; split a batch.',
  unsupported_media_type: 'Use one of the content types for events.',
  unknown_event_type: 'Put the event type into the catalogue, or correct its name.',
  unknown_schema_version: 'Name one of the versions on this page in "schemaversion", or leave it out.',
  schema_mismatch: 'Mend what "errors" names; the fields are described on this page.',
  rate_limited: 'Wait as long as "Retry-After" says.',
  headers_too_large: 'Send fewer or shorter headers.',
  internal: 'Repeat the request with the same id. If that does not help, tell the operator the trace id.',
  kafka_unavailable: 'Repeat the request with the same id after "Retry-After": nothing is delivered twice.',
  not_ready: 'Repeat the request after "Retry-After".',
} as const satisfies Partial<Record<ProblemCode, string>>;

export interface PublishAnswer {
  status: number;
  /** Of the problem; missing where all went well. */
  code?: ProblemCode;
  meaning: string;
  action: string;
}

/** Every answer to a published event. */
export const PUBLISH_ANSWERS: readonly PublishAnswer[] = [
  {
    status: 202,
    meaning: 'Kafka has the event on all in-sync replicas',
    action: 'Keep the "id" of the answer: it is what to ask audit for.',
  },
  ...(Object.keys(ADVICE) as (keyof typeof ADVICE)[]).map((code) => ({
    status: PROBLEMS[code][0],
    code,
    meaning: PROBLEMS[code][1],
    action: ADVICE[code],
  })),
];
