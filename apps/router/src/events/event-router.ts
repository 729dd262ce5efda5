import { Inject, Injectable } from '@nestjs/common';
import {
  encodeOutcome,
  Topics,
  type EventRecord,
  type IncomingRecord,
  type OutgoingRecord,
} from '@quittance/contracts';
import { KafkaPublisher, NotStartedError, type RecordContext } from '@quittance/kafka';
import type { ActiveSpan } from '@quittance/telemetry';
import { IdentityWindow, type Sighting } from '../duplicates/identity-window.js';
import { StrictLanes } from '../ordering/strict-lanes.js';
import { Turnstile } from '../ordering/turnstile.js';
import { bury } from '../routing/burial.js';
import { Homes } from '../routing/homes.js';
import type { RoutePlan } from '../routing/route-plan.js';
import { RoutePlanner } from '../routing/route-planner.js';
import { CatalogueGate } from './catalogue-gate.js';
import { RouterMetrics } from './router-metrics.js';

/** An event on its way through the router. */
export interface EventInHand {
  record: IncomingRecord;
  event: EventRecord;
  span: Pick<ActiveSpan, 'traceId' | 'context' | 'setAttribute'>;
}

type RouteContext = Pick<RecordContext, 'isCurrent' | 'over'>;
/** The same event is being routed already: look again when it is settled. */
type Pending = Extract<Sighting, { kind: 'pending' }>;

/** Turns one accepted event into deliveries, once per identity. */
@Injectable()
export class EventRouter {
  /** What was planned of records that are tried again. */
  private readonly unfinished = new WeakMap<IncomingRecord, RoutePlan>();

  constructor(
    private readonly gate: CatalogueGate,
    private readonly turnstile: Turnstile,
    private readonly planner: RoutePlanner,
    private readonly window: IdentityWindow,
    private readonly lanes: StrictLanes,
    private readonly homes: Homes,
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publishAll'>,
    private readonly topics: Topics,
    private readonly metrics: RouterMetrics,
  ) {}

  /**
   * Resolves once everything that follows from the event is acknowledged. Nothing is awaited before it is handed to the
   * publisher unless the event has to wait, so that events of one partition are written in their order. A strict
   * subscription's are so in any case.
   * @throws PublishError; NotStartedError when the assignment was over before the event could begin
   */
  route(hand: EventInHand, context: RouteContext): Promise<void> {
    if (this.turnstile.isClear && this.gate.isOpen(hand.event.revision)) {
      try {
        const begun = this.begin(hand, context);
        if (begun instanceof Promise) return begun;
      } catch {
        // It fails in its turn again, and is dealt with there.
      }
    }
    return this.routeInTurn(hand, context);
  }

  /** The way of an event that has to wait, or behind which others must. */
  private async routeInTurn(hand: EventInHand, context: RouteContext): Promise<void> {
    const { event, record } = hand;
    const turn = this.turnstile.enter(event.namespace, record.offset, context.over);
    let begun: Promise<void> | Pending;
    try {
      await turn.whenCome();
      await this.gate.whenOpen(event.revision, context);
      begun = this.begin(hand, context);
      while (!(begun instanceof Promise)) {
        if (!this.planner.isOrdered(event)) turn.leave();
        await begun.settled;
        begun = this.begin(hand, context);
      }
    } catch (error) {
      // It is tried again: until it has begun, it must not be passed.
      if (isFinal(error) || !this.planner.isOrdered(event)) turn.leave();
      throw error;
    }
    turn.leave();
    await begun;
  }

  /** @returns settles when everything is acknowledged; everything was handed over when this returns */
  private begin(hand: EventInHand, context: RouteContext): Promise<void> | Pending {
    if (context.over.aborted) throw new NotStartedError('The assignment is over.');
    if (hand.event.replay) return this.write(hand, context, this.planOf(hand));
    const sighting = this.look(hand);
    switch (sighting.kind) {
      case 'new':
        return this.claim(hand, context, sighting.settle);
      case 'pending':
        return sighting;
      case 'repeated':
        this.metrics.event('repeated');
        return Promise.resolve();
      case 'duplicate':
        return this.recordDuplicate(hand, sighting.conflict);
    }
  }

  private claim(hand: EventInHand, context: RouteContext, settle: (written: boolean) => void): Promise<void> {
    try {
      return this.write(hand, context, this.planOf(hand), settle);
    } catch (error) {
      settle(false);
      throw error;
    }
  }

  /** A record that is tried again is not planned again: it would come to other subscriptions, behind later ones. */
  private planOf({ record, event, span }: EventInHand): RoutePlan {
    const plan = this.unfinished.get(record);
    if (plan === undefined) return this.planner.plan(record, event, span);
    plan.records = plan.records.map((planned) => this.homes.present(planned));
    return plan;
  }

  private async write(
    hand: EventInHand,
    context: RouteContext,
    plan: RoutePlan,
    settle?: (written: boolean) => void,
  ): Promise<void> {
    try {
      if (plan.strict.length === 0) await this.publisher.publishAll(plan.records);
      else await this.writeInOrder(hand, context, plan);
    } catch (error) {
      this.unfinished.set(hand.record, plan);
      settle?.(false);
      throw error;
    }
    settle?.(true);
    this.metrics.routed(plan);
    hand.span.setAttribute('quittance.deliveries', plan.written);
  }

  /** Does not end before the lanes are done, even if the rest fails: what is in a lane must not be put in again. */
  private async writeInOrder(hand: EventInHand, context: RouteContext, plan: RoutePlan): Promise<void> {
    const strict = plan.strict.splice(0);
    const lanes = Promise.all(
      strict.map(({ subscription, record }) =>
        this.lanes.submit(subscription.resource.metadata.uid, record, context),
      ),
    );
    const [rest] = await Promise.allSettled([this.publisher.publishAll(plan.records), lanes]);
    const burials: OutgoingRecord[] = [];
    for (const [index, refusal] of (await lanes).entries()) {
      if (refusal === undefined) continue;
      burials.push(...bury(this.topics, hand.record, plan.facts, { ...strict[index]!, ...refusal }));
      plan.written--;
      plan.dead++;
    }
    if (rest.status === 'rejected') {
      plan.records.push(...burials);
      throw rest.reason;
    }
    if (burials.length === 0) return;
    plan.records = burials;
    await this.publisher.publishAll(burials);
  }

  private async recordDuplicate(hand: EventInHand, conflict: boolean): Promise<void> {
    await this.publisher.publishAll([this.duplicate(hand, conflict)]);
    this.metrics.event(conflict ? 'conflict' : 'duplicate');
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

/** The record is given up, not tried again. */
function isFinal(error: unknown): boolean {
  return error instanceof Error && 'retryable' in error && error.retryable === false;
}
