import { errors } from 'undici';
import { AddressBlockedError, LookupFailedError, TlsHandshakeError } from './guarded-connector.js';

/** Why there is no answer: stable, for programs. `aborted` is the caller's own doing. */
export type WebhookErrorCode =
  | 'timeout'
  | 'dns_failed'
  | 'connection_refused'
  | 'connection_reset'
  | 'tls_failed'
  | 'address_blocked'
  | 'response_invalid'
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
    return { code: 'tls_failed', message: `TLS with ${origin} failed: ${error.message.slice(0, 200)}.` };
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

function invalidResponse(origin: string, reason: string): { code: WebhookErrorCode; message: string } {
  return { code: 'response_invalid', message: `${origin} did not answer in valid HTTP: ${reason}.` };
}

function errorCode(error: Error): string | undefined {
  // When all addresses of a name fail, Node.js gives an AggregateError; the first one's reason stands for all.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = first instanceof Error && 'code' in first ? first.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
