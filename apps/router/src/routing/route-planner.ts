import { Injectable } from '@nestjs/common';
import { Catalogue, type CelEvent, type CompiledSubscription } from '@quittance/catalog';
import {
  deliveryIdOf,
  encodeDeadLetter,
  encodeDelivery,
  encodeOutcome,
  MAX_SKIPPED_LISTED,
  subscriptionKey,
  Topics,
  type BodyFormat,
  type EventRecord,
  type EventTarget,
  type IncomingRecord,
  type OutgoingRecord,
  type RoutedOutcome,
  type Skipped,
  type TraceContext,
} from '@quittance/contracts';
import { renderBody, type RenderedBody } from '../rendering/body.js';
import {
  contentOf,
  expressionEvent,
  transformedContent,
  type EventContent,
} from '../rendering/event-data.js';

/** Everything that follows from an event. */
export interface RoutePlan {
  /** In the order in which they are to be written; the `routed` outcome is the last. */
  records: OutgoingRecord[];
  written: number;
  dead: number;
  skipped: number;
}

/** The span under which the event is routed: subscribers' attempts become its children. */
export interface RouteSpan {
  readonly traceId: string;
  readonly context: TraceContext;
}

/** Bodies are at most 1 MiB. Ingest sees to what comes in; a transform can make more of it. */
const MAX_DATA_BYTES = 1024 * 1024;

/** So that a subscriber can tell a sample from what is meant. */
const TEST_HEADERS = { 'quittance-test': 'true' };

/** Decides who gets an event, and what. */
@Injectable()
export class RoutePlanner {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly topics: Topics,
  ) {}

  plan(record: IncomingRecord, event: EventRecord, span: RouteSpan): RoutePlan {
    return new Route(this.catalogue, this.topics, record, event, span).plan();
  }
}

/** The planning of one event. */
class Route {
  private readonly records: OutgoingRecord[] = [];
  private readonly matched: RoutedOutcome['matched'] = [];
  private readonly skipped: Skipped[] = [];
  private skippedCount = 0;
  private dead = 0;
  private readonly at = Date.now();
  private readonly content: EventContent;
  private expressionEvent: CelEvent | undefined;
  /** Subscriptions without a transform share their bodies. */
  private readonly bodies = new Map<BodyFormat, RenderedBody>();

  constructor(
    private readonly catalogue: Catalogue,
    private readonly topics: Topics,
    private readonly record: IncomingRecord,
    private readonly event: EventRecord,
    private readonly span: RouteSpan,
  ) {
    this.content = contentOf(event);
  }

  plan(): RoutePlan {
    const { namespace, attributes, replay, test } = this.event;
    const target = replay ?? test;
    if (target) this.only(target);
    else {
      for (const subscription of this.catalogue.subscriptionsFor(namespace, attributes.type)) {
        this.consider(subscription);
      }
    }
    this.records.push(this.routed());
    return {
      records: this.records,
      written: this.matched.length - this.dead,
      dead: this.dead,
      skipped: this.skippedCount,
    };
  }

  private consider(subscription: CompiledSubscription): void {
    if (subscription.hasFilter) {
      const result = subscription.filter(this.forExpressions());
      if (!result.matched) {
        const { name: subscriptionName, uid } = subscription.resource.metadata;
        this.skip(subscriptionName, uid, result.code, result.reason);
        return;
      }
    }
    this.deliver(subscription);
  }

  /** A delivery that somebody asked for: to that subscription only, whatever its patterns and its filter say by now. */
  private only({ subscription: name, subscriptionUid }: EventTarget): void {
    const subscription = this.catalogue.subscription(this.event.namespace, name);
    if (subscription?.resource.metadata.uid === subscriptionUid) this.deliver(subscription);
    else this.skip(name, subscriptionUid, 'deleted', 'The subscription does not exist any more.');
  }

  private skip(subscription: string, subscriptionUid: string, code: string, reason: string): void {
    this.skippedCount++;
    if (this.skipped.length < MAX_SKIPPED_LISTED) {
      this.skipped.push({ subscription, subscriptionUid, code, reason });
    }
  }

  private deliver(subscription: CompiledSubscription): void {
    const { event, content } = this;
    const { metadata, spec, status } = subscription.resource;
    const { id, source, type } = event.attributes;
    const deliveryId = deliveryIdOf({ namespace: event.namespace, source, id }, metadata.uid);
    this.matched.push({ deliveryId, subscription: metadata.name, subscriptionUid: metadata.uid });
    let rendered: RenderedBody;
    if (subscription.transform) {
      const result = subscription.transform(this.forExpressions());
      if (!result.ok) {
        this.bury(subscription, deliveryId, result.code, result.reason);
        return;
      }
      const data = Buffer.from(JSON.stringify(result.value));
      if (data.length > MAX_DATA_BYTES) {
        this.bury(subscription, deliveryId, 'body_too_large', 'The transformed data is larger than 1 MiB.');
        return;
      }
      rendered = renderBody(spec.format, transformedContent(content, data), event.acceptedAt);
    } else rendered = this.body(spec.format);
    this.records.push(
      encodeDelivery(
        { topic: this.topics.deliveries, partition: status.partition },
        {
          deliveryId,
          namespace: event.namespace,
          subscription: metadata.name,
          subscriptionUid: metadata.uid,
          eventId: id,
          eventSource: source,
          eventType: type,
          attempt: 1,
          revision: this.catalogue.revision,
          acceptedAt: event.acceptedAt,
          contentType: rendered.contentType,
          httpHeaders: event.test ? { ...rendered.headers, ...TEST_HEADERS } : rendered.headers,
          body: rendered.body,
          trace: this.span.context,
        },
      ),
    );
  }

  /** No attempt can be made: the event itself becomes the dead letter, for a replay once the transform is mended. */
  private bury(subscription: CompiledSubscription, deliveryId: string, code: string, reason: string): void {
    this.dead++;
    const { name, uid, namespace } = subscription.resource.metadata;
    const { topic, partition, offset } = this.record;
    const letter = encodeDeadLetter(
      this.topics.deliveriesDlq,
      { ...this.record, key: Buffer.from(subscriptionKey(namespace, name)) },
      { code, reason, at: this.at, topic, partition, offset },
    );
    letter.headers['quittance-delivery-id'] = deliveryId;
    letter.headers['quittance-subscription'] = name;
    letter.headers['quittance-subscription-uid'] = uid;
    this.records.push(
      letter,
      encodeOutcome(this.topics.outcomes, {
        type: 'dead',
        ...this.about(),
        deliveryId,
        subscription: name,
        subscriptionUid: uid,
        error: { code, message: reason },
      }),
    );
  }

  private routed(): OutgoingRecord {
    return encodeOutcome(this.topics.outcomes, {
      type: 'routed',
      ...this.about(),
      revision: this.catalogue.revision,
      matched: this.matched,
      skipped: this.skipped,
      skippedCount: this.skippedCount,
      ...(this.event.replay && { replay: true }),
    });
  }

  private about() {
    const { namespace, attributes } = this.event;
    return {
      at: this.at,
      namespace,
      eventId: attributes.id,
      eventSource: attributes.source,
      traceId: this.span.traceId,
    };
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
