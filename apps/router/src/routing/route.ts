import type { Catalogue, CelEvent, CompiledSubscription, SubscriptionStates } from '@quittance/catalog';
import {
  deliveryIdOf,
  encodeDelivery,
  encodeOutcome,
  MAX_SKIPPED_LISTED,
  type BodyFormat,
  type EventRecord,
  type EventTarget,
  type IncomingRecord,
  type OutgoingRecord,
  type RoutedOutcome,
  type Skipped,
  type Topics,
} from '@quittance/contracts';
import { renderBody, type RenderedBody } from '../rendering/body.js';
import {
  contentOf,
  expressionEvent,
  transformedContent,
  type EventContent,
} from '../rendering/event-data.js';
import { bury, type EventFacts } from './burial.js';
import type { RoutePlan, RouteSpan, StrictDelivery } from './route-plan.js';
import { stopOf } from './stop.js';

/** Bodies are at most 1 MiB. Ingest sees to what comes in; a transform can make more of it. */
const MAX_DATA_BYTES = 1024 * 1024;

/** How many matches one `routed` outcome has, so that it is below 500 KiB. */
export const MAX_MATCHED_LISTED = 2000;

/** So that a subscriber can tell a sample from what is meant. */
const TEST_HEADERS = { 'quittance-test': 'true' };

export function isStrict({ resource }: CompiledSubscription): boolean {
  return resource.spec.delivery.ordering === 'strict';
}

/** The planning of one event. */
export class Route {
  private readonly records: OutgoingRecord[] = [];
  private readonly strict: StrictDelivery[] = [];
  private readonly matched: RoutedOutcome['matched'] = [];
  private readonly skipped: Skipped[] = [];
  private skippedCount = 0;
  private dead = 0;
  private held = 0;
  private readonly content: EventContent;
  private readonly facts: EventFacts;
  private expressionEvent: CelEvent | undefined;
  /** Subscriptions without a transform share their bodies. */
  private readonly bodies = new Map<BodyFormat, RenderedBody>();

  constructor(
    private readonly catalogue: Catalogue,
    private readonly states: SubscriptionStates,
    private readonly topics: Topics,
    private readonly record: IncomingRecord,
    private readonly event: EventRecord,
    private readonly span: RouteSpan,
  ) {
    this.content = contentOf(event);
    this.facts = {
      at: Date.now(),
      namespace: event.namespace,
      eventId: event.attributes.id,
      eventSource: event.attributes.source,
      traceId: span.traceId,
    };
  }

  plan(): RoutePlan {
    const { namespace, attributes, replay, test } = this.event;
    const target = replay ?? test;
    if (target) this.only(target, replay?.filtered === true);
    else {
      for (const subscription of this.catalogue.subscriptionsFor(namespace, attributes.type)) {
        if (subscription.hasFilter && !this.passes(subscription)) continue;
        this.give(subscription, false);
      }
    }
    this.report();
    const { records, strict, facts, dead, held } = this;
    return {
      records,
      strict,
      facts,
      written: this.matched.length - dead - held,
      dead,
      held,
      skipped: this.skippedCount,
    };
  }

  /** A delivery that somebody asked for goes to that subscription only. */
  private only({ subscription: name, subscriptionUid }: EventTarget, isFiltered: boolean): void {
    const { namespace, attributes } = this.event;
    const subscription = this.catalogue.subscription(namespace, name);
    if (subscription?.resource.metadata.uid !== subscriptionUid) {
      this.skip(name, subscriptionUid, 'deleted', 'The subscription does not exist any more.');
      return;
    }
    if (isFiltered) {
      if (!this.catalogue.subscriptionsFor(namespace, attributes.type).includes(subscription)) {
        const reason = `The subscription does not want events of the type "${attributes.type}" any more.`;
        this.skip(name, subscriptionUid, 'pattern_mismatch', reason);
        return;
      }
      if (!this.passes(subscription)) return;
    }
    this.give(subscription, true);
  }

  private passes(subscription: CompiledSubscription): boolean {
    const result = subscription.filter(this.forExpressions());
    if (result.matched) return true;
    const { name, uid } = subscription.resource.metadata;
    this.skip(name, uid, result.code, result.reason);
    return false;
  }

  private skip(subscription: string, subscriptionUid: string, code: string, reason: string): void {
    this.skippedCount++;
    if (this.skipped.length < MAX_SKIPPED_LISTED) {
      this.skipped.push({ subscription, subscriptionUid, code, reason });
    }
  }

  /** @param isAskedFor it goes to a subscription that is suspended as unreachable too: it shows whether it still is */
  private give(subscription: CompiledSubscription, isAskedFor: boolean): void {
    const { name, uid } = subscription.resource.metadata;
    const stopped = this.states.of(subscription.resource)?.stopped;
    const stop = stopped && stopOf(stopped);
    if (stop?.kind === 'disabled') {
      this.skip(name, uid, 'subscription_disabled', stop.reason);
      return;
    }
    const { namespace, eventId: id, eventSource: source } = this.facts;
    const deliveryId = deliveryIdOf({ namespace, source, id }, uid);
    if (stop && !(isAskedFor && stop.code === 'unreachable')) {
      this.held++;
      this.matched.push({ deliveryId, subscription: name, subscriptionUid: uid, held: stop.code });
      return;
    }
    this.matched.push({ deliveryId, subscription: name, subscriptionUid: uid });
    const rendered = this.rendered(subscription, deliveryId);
    if (rendered === undefined) return;
    const record = this.delivery(subscription, deliveryId, rendered);
    if (isStrict(subscription)) this.strict.push({ subscription, deliveryId, record });
    else this.records.push(record);
  }

  /** @returns `undefined` when there is nothing that could be sent */
  private rendered(subscription: CompiledSubscription, deliveryId: string): RenderedBody | undefined {
    const { format } = subscription.resource.spec;
    if (!subscription.transform) return this.body(format);
    const result = subscription.transform(this.forExpressions());
    if (!result.ok) {
      this.bury(subscription, deliveryId, result.code, result.reason);
      return undefined;
    }
    const data = Buffer.from(JSON.stringify(result.value));
    if (data.length > MAX_DATA_BYTES) {
      this.bury(subscription, deliveryId, 'body_too_large', 'The transformed data is larger than 1 MiB.');
      return undefined;
    }
    return renderBody(format, transformedContent(this.content, data), this.event.acceptedAt);
  }

  private delivery(
    { resource: { metadata, status } }: CompiledSubscription,
    deliveryId: string,
    rendered: RenderedBody,
  ): OutgoingRecord {
    const { event, facts } = this;
    return encodeDelivery(
      { topic: this.topics.deliveries, partition: status.partition },
      {
        deliveryId,
        namespace: facts.namespace,
        subscription: metadata.name,
        subscriptionUid: metadata.uid,
        eventId: facts.eventId,
        eventSource: facts.eventSource,
        eventType: event.attributes.type,
        attempt: 1,
        replay: event.replay !== undefined,
        revision: this.catalogue.revision,
        acceptedAt: event.acceptedAt,
        contentType: rendered.contentType,
        httpHeaders: event.test ? { ...rendered.headers, ...TEST_HEADERS } : rendered.headers,
        body: rendered.body,
        trace: this.span.context,
      },
    );
  }

  private bury(subscription: CompiledSubscription, deliveryId: string, code: string, reason: string): void {
    this.dead++;
    const burial = { subscription, deliveryId, code, reason };
    this.records.push(...bury(this.topics, this.record, this.facts, burial));
  }

  /** Many matches make several outcomes; what they say beside that is the same, so that it does not matter which is last. */
  private report(): void {
    const { matched } = this;
    const { replay } = this.event;
    for (let from = 0; from === 0 || from < matched.length; from += MAX_MATCHED_LISTED) {
      this.records.push(
        encodeOutcome(this.topics.outcomes, {
          type: 'routed',
          ...this.facts,
          revision: this.catalogue.revision,
          matched:
            matched.length <= MAX_MATCHED_LISTED ? matched : matched.slice(from, from + MAX_MATCHED_LISTED),
          skipped: this.skipped,
          skippedCount: this.skippedCount,
          ...(replay && { replay: true }),
          ...(replay?.filtered && { filtered: true }),
        }),
      );
    }
  }

  private body(format: BodyFormat): RenderedBody {
    const known = this.bodies.get(format);
    if (known) return known;
    const rendered = renderBody(format, this.content, this.event.acceptedAt);
    this.bodies.set(format, rendered);
    return rendered;
  }

  private forExpressions(): CelEvent {
    this.expressionEvent ??= expressionEvent(this.content);
    return this.expressionEvent;
  }
}
