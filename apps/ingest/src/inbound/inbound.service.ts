import { Injectable } from '@nestjs/common';
import type { CompiledSource } from '@quittance/catalog';
import { eventTypeName, Problem, type SourceVerify } from '@quittance/contracts';
import { VerificationError, type Verifier } from '@quittance/webhooks';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiter } from '../limits/rate-limiter.js';
import { assertBodyFits } from '../publishing/body-size.js';
import { EventPublisher } from '../publishing/event-publisher.js';
import { FreshCatalogue } from '../publishing/fresh-catalogue.js';
import { bodyOf } from '../raw-body.js';
import { cloudEventsConsent, hubChallenge } from './handshake.js';
import { answerTo, textAnswer, type InboundAnswer } from './inbound-answer.js';
import { readBody } from './inbound-body.js';
import { toEvent } from './inbound-event.js';
import { slackChallenge } from './slack-challenge.js';
import { SourceVault } from './source-vault.js';

/** Where a request is sent to. */
export interface SourcePath {
  namespace: string;
  source: string;
  eventType?: string;
}

type Query = Record<string, string | string[]>;

/** Takes webhooks of third parties in: verifies, reads, names and publishes them. */
@Injectable()
export class InboundService {
  constructor(
    private readonly fresh: FreshCatalogue,
    private readonly vault: SourceVault,
    private readonly limiter: RateLimiter,
    private readonly publisher: EventPublisher,
  ) {}

  /** @throws Problem */
  async receive(request: FastifyRequest, reply: FastifyReply, path: SourcePath): Promise<InboundAnswer> {
    const { headers, span } = request;
    const { source, limits } = await this.find(request, path);
    const { resource } = source;
    const rawBody = bodyOf(request);
    assertBodyFits(limits, rawBody);
    const { verifier } = this.vault.credentialsOf(resource);
    assertVerified(verifier, resource.spec.verify, { headers, rawBody });
    this.limiter.charge(path.namespace, { source: resource }, 1, reply);
    const body = readBody(resource.spec, headers, rawBody);
    const challenge = slackChallenge(resource.spec.verify, body.value);
    if (challenge !== undefined) return textAnswer(challenge);
    const query = request.query as Query;
    const event = toEvent({ source, headers, query, pathType: path.eventType, rawBody, body });
    const { namespace } = path;
    const accepted = await this.publisher.publish({ namespace, mode: 'inbound', events: [event], span });
    void reply.headers(accepted.headers);
    return answerTo(resource.spec, accepted.events[0]!);
  }

  /** @throws Problem */
  async answerChallenge(request: FastifyRequest, path: SourcePath): Promise<InboundAnswer> {
    const { resource } = (await this.find(request, path)).source;
    const { handshakeToken } = this.vault.credentialsOf(resource);
    return textAnswer(hubChallenge(resource.spec, handshakeToken, request.query as Query));
  }

  /** @throws Problem */
  async consent(request: FastifyRequest, path: SourcePath): Promise<InboundAnswer> {
    const { resource } = (await this.find(request, path)).source;
    return { status: 200, headers: cloudEventsConsent(resource.spec, request.headers), body: '' };
  }

  /** The source, if there is one and the sender's address may send there. */
  private find({ ip }: FastifyRequest, { namespace, source: name, eventType }: SourcePath) {
    return this.fresh.use((catalogue) => {
      const source = catalogue.source(namespace, name);
      if (!source || !answersAt(source, eventType)) {
        throw new Problem(
          'not_found',
          source
            ? 'The source takes no such event type in its path.'
            : `The namespace "${namespace}" has no source "${name}".`,
        );
      }
      if (!source.allowsAddress(ip)) {
        throw new Problem('address_not_allowed', `The source takes nothing from the address ${ip}.`);
      }
      return { source, limits: catalogue.namespace(namespace).limits };
    });
  }
}

/** A path names the type only where the source does not tell it. */
function answersAt({ resource }: CompiledSource, eventType: string | undefined): boolean {
  if (eventType === undefined) return true;
  return resource.spec.type === undefined && eventTypeName.safeParse(eventType).success;
}

function assertVerified(
  verifier: Verifier,
  { type }: SourceVerify,
  request: Parameters<Verifier['verify']>[0],
): void {
  try {
    verifier.verify(request, Date.now());
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    const scheme = AUTHENTICATE[type];
    throw new Problem(error.code, error.message, {}, scheme ? { 'www-authenticate': scheme } : {});
  }
}

const AUTHENTICATE: Partial<Record<SourceVerify['type'], string>> = {
  bearer: 'Bearer',
  basic: 'Basic realm="quittance", charset="UTF-8"',
};
