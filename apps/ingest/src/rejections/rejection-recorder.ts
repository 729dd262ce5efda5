import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { encodeOutcome, Topics, type RejectedOutcome } from '@quittance/contracts';
import { KafkaPublisher } from '@quittance/kafka';
import { LOGGER, Metrics } from '@quittance/service';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { MONOTONIC_CLOCK } from '../limits/monotonic-clock.js';
import { redactBody } from './redaction.js';
import { rejectedOutcome } from './rejected-outcome.js';
import { RejectionBudget } from './rejection-budget.js';

const MAX_BODY_BYTES = 64 * 1024;
/** On their way to Kafka at once; with bodies about 9 MB. */
const MAX_IN_FLIGHT = 100;
const FLUSH_TIMEOUT_MS = 3000;

/** Writes what was refused to `outcomes.v1`, after the answer, and with nobody waiting for it. */
@Injectable()
export class RejectionRecorder implements OnModuleInit, OnApplicationShutdown {
  private readonly budget: RejectionBudget;
  private readonly inFlight = new Set<Promise<void>>();
  private readonly rejections;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly publisher: KafkaPublisher,
    private readonly topics: Topics,
    metrics: Metrics,
    @Inject(MONOTONIC_CLOCK) now: () => number,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.budget = new RejectionBudget(now);
    this.rejections = metrics.counter(
      'quittance_rejections_total',
      'Refused requests to namespaces that exist: recorded, left out because there were too many, or not written by Kafka.',
      ['result'],
    );
  }

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('onResponse', (request, reply, done) => {
      if (reply.statusCode >= 400 && reply.statusCode < 500) this.tryToRecord(request, reply);
      done();
    });
  }

  /** Waits for what is on its way, but not for a Kafka that is gone. */
  async onApplicationShutdown(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
    });
    await Promise.race([Promise.all(this.inFlight), late]);
    clearTimeout(timer);
  }

  /** What goes wrong here must not hurt anybody: the answer is out, and nobody would catch it. */
  private tryToRecord(request: FastifyRequest, reply: FastifyReply): void {
    try {
      this.record(request, reply);
    } catch (error) {
      this.rejections.inc({ result: 'failed' });
      this.logger.error({ err: error }, 'A rejection could not be recorded.');
    }
  }

  private record(request: FastifyRequest, reply: FastifyReply): void {
    const { origin, problem, body } = request;
    if (!origin || !problem) return;
    const { namespace } = origin;
    if (this.inFlight.size >= MAX_IN_FLIGHT || !this.budget.allows(namespace)) {
      this.budget.suppress(namespace);
      this.rejections.inc({ result: 'suppressed' });
      return;
    }
    const outcome = rejectedOutcome(request, reply, origin, problem);
    outcome.suppressed = this.budget.takeSuppressed(namespace);
    if (
      Buffer.isBuffer(body) &&
      body.length > 0 &&
      this.budget.allowsBody(Math.min(body.length, MAX_BODY_BYTES))
    ) {
      const { secrets = [] } = origin;
      const contentType = request.headers['content-type'];
      outcome.body = redactBody(body, MAX_BODY_BYTES, { secrets, contentType }).toString('base64');
    }
    const sending = this.send(outcome).finally(() => this.inFlight.delete(sending));
    this.inFlight.add(sending);
  }

  /** Never rejects: what Kafka does not take is counted with the next one that it does. */
  private async send(outcome: RejectedOutcome): Promise<void> {
    try {
      await this.publisher.publish(encodeOutcome(this.topics.outcomes, outcome));
      this.rejections.inc({ result: 'recorded' });
    } catch {
      this.budget.suppress(outcome.namespace, outcome.suppressed + 1);
      this.rejections.inc({ result: 'failed' });
    }
  }
}
