import { Problem, type SourceSpec } from '@quittance/contracts';
import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

type Query = Readonly<Record<string, string | string[]>>;

/**
 * WebSub's and Meta's question whether this address wants what they send: `GET ?hub.challenge=…`.
 * @param token the source's handshake token
 * @returns the challenge, to be sent back
 * @throws Problem `malformed_request`, `handshake_refused`
 */
export function hubChallenge(spec: SourceSpec, token: string | undefined, query: Query): string {
  if (!spec.handshake.hub) throw refused('The source answers no hub challenges: set "handshake.hub".');
  if (token === undefined) throw refused('The source has no handshake token: put "secrets.handshakeToken".');
  const challenge = query['hub.challenge'];
  if (typeof challenge !== 'string' || challenge === '') {
    throw new Problem('malformed_request', 'The query must have "hub.challenge" once.');
  }
  const given = query['hub.verify_token'];
  if (typeof given !== 'string' || !isSame(given, token)) {
    throw refused('"hub.verify_token" is not the token of this source.');
  }
  return challenge;
}

/**
 * CloudEvents' question: `OPTIONS` with `WebHook-Request-Origin`.
 * @returns the headers that say yes
 * @throws Problem `malformed_request`, `handshake_refused`
 */
export function cloudEventsConsent(spec: SourceSpec, headers: IncomingHttpHeaders): Record<string, string> {
  const { cloudEvents } = spec.handshake;
  if (!cloudEvents) {
    throw refused('The source answers no CloudEvents validation: set "handshake.cloudEvents".');
  }
  const origin = headers['webhook-request-origin'];
  if (typeof origin !== 'string') {
    throw new Problem('malformed_request', 'The header "WebHook-Request-Origin" is missing.');
  }
  const allowed = cloudEvents.allowedOrigins.find(
    (name) => name === '*' || name.toLowerCase() === origin.toLowerCase(),
  );
  if (allowed === undefined) throw refused('The origin is not among those that the source allows.');
  const asksForRate = headers['webhook-request-rate'] !== undefined;
  const rate = cloudEvents.allowedRate ?? (asksForRate ? '*' : undefined);
  return {
    allow: 'GET, OPTIONS, POST',
    'webhook-allowed-origin': allowed,
    ...(rate !== undefined && { 'webhook-allowed-rate': String(rate) }),
  };
}

/** Hashed first: texts of any length take the same time to compare. */
function isSame(given: string, token: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', token, 'buffer'));
}

function refused(detail: string): Problem {
  return new Problem('handshake_refused', detail);
}
