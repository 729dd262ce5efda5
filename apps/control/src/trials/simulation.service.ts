import { Inject, Injectable } from '@nestjs/common';
import type { SourceSecrets, SourceSpec } from '@quittance/contracts';
import { Database } from '@quittance/persistence';
import type { ActiveSpan } from '@quittance/telemetry';
import { uuidv7 } from 'uuidv7';
import { kindNamed } from '../resources/kinds.js';
import { ResourceRepository } from '../resources/resource.repository.js';
import { notFound } from '../resources/resource.service.js';
import { VerifierSecrets } from '../sources/verifier-secrets.js';
import { Neighbour, parsed } from './neighbour.js';
import { shownHeaders, simulatedRequest } from './sample-request.js';
import type { Simulation, SimulationResult } from './trial-bodies.js';

export const INGEST = Symbol('INGEST');

const TIMEOUT_MS = 10_000;

/** Sends a source what its sender would send, through the front door. */
@Injectable()
export class SimulationService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(VerifierSecrets) private readonly secrets: VerifierSecrets,
    @Inject(INGEST) private readonly ingest: Neighbour,
  ) {}

  /**
   * @param span of the request that asks for it: what ingest does is in its trace
   * @throws Problem `not_found`, `no_sample`, `service_unavailable`; StoreError; SecretBoxError
   */
  async simulate(
    namespace: string,
    name: string,
    { eventType, body }: Simulation,
    span: ActiveSpan,
  ): Promise<SimulationResult> {
    const { spec, secret } = await this.sourceOf(namespace, name);
    const request = simulatedRequest(spec, secret, body, { nowMs: Date.now(), deliveryId: uuidv7() });
    const path = `/in/${namespace}/${name}${eventType === undefined ? '' : `/${eventType}`}`;
    const { headers, body: bytes } = request;
    const answer = await this.ingest.ask(
      { method: 'POST', path, headers, body: bytes, timeoutMs: TIMEOUT_MS },
      span,
    );
    const answered = parsed(answer);
    const event = answer.status < 300 ? eventOf(answered) : undefined;
    return {
      request: { path, headers: shownHeaders(request), body: bytes.toString() },
      answer: { status: answer.status, body: answered },
      ...(event && { event }),
    };
  }

  private async sourceOf(namespace: string, name: string): Promise<{ spec: SourceSpec; secret?: string }> {
    const address = { kind: kindNamed('Source'), namespace, name };
    const row = await this.database.run((manager) => this.resources.find(manager, address));
    if (!row) throw notFound(address);
    const [secret] = this.secrets.open(row.uid, row.secrets as SourceSecrets).verify;
    return { spec: row.spec as SourceSpec, ...(secret !== undefined && { secret }) };
  }
}

function eventOf(answered: unknown): { id: string; traceId: string } | undefined {
  if (typeof answered !== 'object' || answered === null) return undefined;
  const { id, traceId } = answered as Record<string, unknown>;
  return typeof id === 'string' && typeof traceId === 'string' ? { id, traceId } : undefined;
}
