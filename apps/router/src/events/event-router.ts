import { Inject, Injectable } from '@nestjs/common';
import {
  encodeOutcome,
  Topics,
  type EventRecord,
  type IncomingRecord,
  type OutgoingRecord,
} from '@quittance/contracts';
import { KafkaPublisher, type RecordContext } from '@quittance/kafka';
import type { ActiveSpan } from '@quittance/telemetry';
import { IdentityWindow, type Sighting } from '../duplicates/identity-window.js';
import { RoutePlanner } from '../routing/route-planner.js';
import { CatalogueGate } from './catalogue-gate.js';
import { RouterMetrics } from './router-metrics.js';

/** An event on its way through the router. */
export interface EventInHand {
  record: IncomingRecord;
  event: EventRecord;
  span: Pick<ActiveSpan, 'traceId' | 'context' | 'setAttribute'>;
}

type RouteContext = Pick<RecordContext, 'isCurrent' | 'isDraining'>;

/** Turns one accepted event into deliveries, once per identity. */
@Injectable()
export class EventRouter {
  constructor(
    private readonly gate: CatalogueGate,
    private readonly planner: RoutePlanner,
    private readonly window: IdentityWindow,
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publishAll'>,
    private readonly topics: Topics,
    private readonly metrics: RouterMetrics,
  ) {}

  /**
   * Resolves once everything that follows from the event is acknowledged. Awaits nothing before it writes unless it has
   * to, so that events of one partition are written in their order.
   * @throws PublishError; NotStartedError when the process is about to stop
   */
  async route(hand: EventInHand, context: RouteContext): Promise<void> {
    const { event } = hand;
    if (!this.gate.isOpen(event.revision)) await this.gate.whenOpen(event.revision, context);
    if (event.replay) {
      await this.write(hand, context);
      return;
    }
    let sighting = this.look(hand);
    while (sighting.kind === 'pending') {
      await sighting.settled;
      sighting = this.look(hand);
    }
    switch (sighting.kind) {
      case 'new':
        await this.claim(hand, context, sighting.settle);
        return;
      case 'repeated':
        this.metrics.event('repeated');
        return;
      case 'duplicate':
        await this.publisher.publishAll([this.duplicate(hand, sighting.conflict)]);
        this.metrics.event(sighting.conflict ? 'conflict' : 'duplicate');
    }
  }

  private async claim(
    hand: EventInHand,
    context: RouteContext,
    settle: (written: boolean) => void,
  ): Promise<void> {
    let written = false;
    try {
      written = await this.write(hand, context);
    } finally {
      settle(written);
    }
  }

  /** @returns false when the partition has gone to another process, which routes the event in our place */
  private async write(hand: EventInHand, context: RouteContext): Promise<boolean> {
    if (!context.isCurrent()) return false;
    const plan = this.planner.plan(hand.record, hand.event, hand.span);
    await this.publisher.publishAll(plan.records);
    this.metrics.routed(plan);
    hand.span.setAttribute('quittance.deliveries', plan.written);
    return true;
  }

  private look({ record, event }: EventInHand): Sighting {
    const { id, source } = event.attributes;
    return this.window.look({ namespace: event.namespace, source, id }, event.data, record);
  }

  private duplicate({ event, span }: EventInHand, conflict: boolean): OutgoingRecord {
    return encodeOutcome(this.topics.outcomes, {
      type: 'duplicate',
      at: Date.now(),
      namespace: event.namespace,
      eventId: event.attributes.id,
      eventSource: event.attributes.source,
      traceId: span.traceId,
      conflict,
    });
  }
}
