import { errors } from 'undici';
import { AddressBlockedError, TlsHandshakeError, type ConnectStage } from './guarded-connector.js';
import { LookupFailedError } from './lookup-error.js';

/** Why there is no answer: stable, for programs. `aborted` is the caller's own doing. */
export type WebhookErrorCode =
  | 'timeout'
  | 'dns_failed'
  | 'connection_refused'
  | 'connection_reset'
  | 'host_unreachable'
  | 'tls_failed'
  | 'address_blocked'
  | 'response_invalid'
  | 'request_invalid'
  | 'request_failed'
  | 'aborted';

/** A request without an answer. The message names host and port at most: paths and queries may hold secrets. */
export class WebhookError extends Error {
  /** Always: the receiver may be back, or be repaired, by the next attempt. */
  readonly retryable = true;

  /** @param durationMs from when the request was given a connection of its own until it failed */
  constructor(
    readonly code: WebhookErrorCode,
    message: string,
    readonly durationMs: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What went wrong, whoever said so: the connector, the system, undici or its parser. */
export function describeFailure(error: Error, origin: string): { code: WebhookErrorCode; message: string } {
  if (error instanceof AddressBlockedError) {
    return {
      code: 'address_blocked',
      message: `${origin} leads to an address that must not be connected to (${error.range}).`,
    };
  }
  if (error instanceof LookupFailedError) {
    return { code: 'dns_failed', message: `The host name of ${origin} cannot be resolved.` };
  }
  if (error instanceof TlsHandshakeError) {
    return { code: 'tls_failed', message: `TLS with ${origin} failed: ${tlsReason(error)}.` };
  }
  if (error instanceof errors.HTTPParserError) return invalidResponse(origin, error.message);
  const code = errorCode(error);
  switch (code) {
    case 'ECONNREFUSED':
      return { code: 'connection_refused', message: `${origin} refused the connection.` };
    case 'ETIMEDOUT':
      return { code: 'timeout', message: `${origin} did not accept a connection in time.` };
    case 'ECONNRESET':
    case 'EPIPE':
      return { code: 'connection_reset', message: `${origin} closed the connection without an answer.` };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
      return { code: 'host_unreachable', message: `No way leads to ${origin} (${code}).` };
    case 'UND_ERR_INVALID_ARG':
      return {
        code: 'request_invalid',
        message: `The request to ${origin} cannot be made: ${error.message}.`,
      };
    case 'UND_ERR_SOCKET':
      // undici's word both for a lost connection and for an answer that breaks the protocol (`bad upgrade`).
      return error.message.startsWith('bad ')
        ? invalidResponse(origin, error.message)
        : { code: 'connection_reset', message: `${origin} closed the connection without an answer.` };
    case 'UND_ERR_HEADERS_OVERFLOW':
      return invalidResponse(origin, 'its headers are too large');
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return invalidResponse(origin, 'its body has not the announced length');
    default:
      return {
        code: 'request_failed',
        message: `The request to ${origin} failed${code ? ` (${code})` : ''}.`,
      };
  }
}

/** @param stage what was waited for; nothing: the answer */
export function describeTimeout(
  origin: string,
  timeoutMs: number,
  stage: ConnectStage | 'body' | undefined,
): string {
  const within = `within ${timeoutMs} ms`;
  switch (stage) {
    case 'name':
      return `The host name of ${origin} was not resolved ${within}.`;
    case 'connection':
      return `${origin} did not accept a connection ${within}.`;
    case 'tls':
      return `${origin} did not finish the TLS handshake ${within}.`;
    case 'body':
      return `${origin} did not finish its answer ${within}.`;
    case undefined:
      return `${origin} did not answer ${within}.`;
  }
}

/** In words for whoever has to mend it; what has none is said as OpenSSL says it. */
const TLS_REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate cannot be verified: the authority is not trusted, or an intermediate certificate is missing',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'something else than TLS is spoken at that port',
  ECONNRESET: 'it closed the connection during the handshake',
};

function tlsReason(error: TlsHandshakeError): string {
  const code = error.cause instanceof Error ? errorCode(error.cause) : undefined;
  const reason = code === undefined ? undefined : TLS_REASONS[code];
  return reason === undefined ? error.message.slice(0, 200) : `${reason} (${code})`;
}

function invalidResponse(origin: string, reason: string): { code: WebhookErrorCode; message: string } {
  return { code: 'response_invalid', message: `${origin} did not answer in valid HTTP: ${reason}.` };
}

function errorCode(error: Error): string | undefined {
  // When all addresses of a name fail, Node.js gives an AggregateError; the first one's reason stands for all.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = first instanceof Error && 'code' in first ? first.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
