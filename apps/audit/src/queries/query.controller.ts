import { Controller, Get, Headers, Inject, Param, Query, UseInterceptors } from '@nestjs/common';
import { StoreErrorInterceptor } from '@quittance/persistence';
import { Access } from '@quittance/service';
import { DeliveryList } from './delivery-list.js';
import { DeliverySummaries } from './delivery-summary.js';
import { EventList } from './event-list.js';
import { EventStory } from './event-story.js';
import {
  deliveryListQuery,
  eventIdParameter,
  eventListQuery,
  namespaceParameter,
  parsePath,
  parseQuery,
  storyQuery,
  subscriptionParameter,
  summaryQuery,
} from './parameters.js';
import type { DeliveriesSummary, DeliverySummary, EventStoryView, EventSummary, Page } from './views.js';

/** What became of it? */
@Controller('audit/v1/namespaces/:namespace')
@UseInterceptors(StoreErrorInterceptor)
export class QueryController {
  constructor(
    @Inject(Access) private readonly access: Access,
    @Inject(EventStory) private readonly story: EventStory,
    @Inject(EventList) private readonly eventList: EventList,
    @Inject(DeliveryList) private readonly deliveryList: DeliveryList,
    @Inject(DeliverySummaries) private readonly summaries: DeliverySummaries,
  ) {}

  @Get('events/:id')
  async event(
    @Param('namespace') namespace: string,
    @Param('id') id: string,
    @Headers('authorization') authorization: string | undefined,
    @Query() query: unknown,
  ): Promise<EventStoryView> {
    await this.access.require(authorization, namespace, 'read');
    const { source } = parseQuery(storyQuery, query);
    return this.story.tell(
      parsePath(namespaceParameter, namespace, 'namespace'),
      parsePath(eventIdParameter, id, 'event'),
      source,
    );
  }

  @Get('events')
  async events(
    @Param('namespace') namespace: string,
    @Headers('authorization') authorization: string | undefined,
    @Query() query: unknown,
  ): Promise<Page<EventSummary>> {
    await this.access.require(authorization, namespace, 'read');
    return this.eventList.page(
      parsePath(namespaceParameter, namespace, 'namespace'),
      parseQuery(eventListQuery, query),
    );
  }

  @Get('deliveries')
  async deliveries(
    @Param('namespace') namespace: string,
    @Headers('authorization') authorization: string | undefined,
    @Query() query: unknown,
  ): Promise<Page<DeliverySummary>> {
    await this.access.require(authorization, namespace, 'read');
    return this.deliveryList.page(
      parsePath(namespaceParameter, namespace, 'namespace'),
      parseQuery(deliveryListQuery, query),
    );
  }
  @Get('subscriptions/:subscription/deliveries-summary')
  async summary(
    @Param('namespace') namespace: string,
    @Param('subscription') subscription: string,
    @Headers('authorization') authorization: string | undefined,
    @Query() query: unknown,
  ): Promise<DeliveriesSummary> {
    await this.access.require(authorization, namespace, 'read');
    return this.summaries.of(
      parsePath(namespaceParameter, namespace, 'namespace'),
      parsePath(subscriptionParameter, subscription, 'subscription'),
      parseQuery(summaryQuery, query).uid,
    );
  }
}
