import { Controller, Get, Headers, Inject, Param, Query, Req } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import type { ResourceView } from '@quittance/contracts';
import { Access } from '@quittance/service';
import type { FastifyRequest } from 'fastify';
import { kindNamed } from '../../resources/kinds.js';
import { parseQuery } from '../../resources/resource-query.js';
import { notFound } from '../../resources/resource.service.js';
import { scheduleOf, scheduleQuery, type RetrySchedule } from './schedule.js';
import { standingOf } from './standing.js';
import { SubscriptionKnowledge } from './subscription-knowledge.js';
import { SubscriptionPicture } from './subscription-picture.service.js';

@Controller('control/v1/namespaces/:namespace/subscriptions/:name')
export class SubscriptionViewController {
  constructor(
    @Inject(SubscriptionPicture) private readonly picture: SubscriptionPicture,
    @Inject(SubscriptionKnowledge) private readonly knowledge: SubscriptionKnowledge,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(Access) private readonly access: Access,
  ) {}

  /** 200 also where audit or Kafka do not tell what they know. */
  @Get()
  async read(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Req() request: FastifyRequest,
  ): Promise<ResourceView> {
    await this.access.require(authorization, namespace, 'read');
    return this.picture.of(namespace, name, request.span);
  }

  /** Of the subscription as it is in force: needs no database. */
  @Get('schedule')
  async schedule(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Query() query: unknown,
  ): Promise<RetrySchedule> {
    await this.access.require(authorization, namespace, 'read');
    const { from } = parseQuery(scheduleQuery, query);
    const subscription = this.catalogue.subscription(namespace, name);
    if (!subscription) throw notFound({ kind: kindNamed('Subscription'), namespace, name });
    const { resource, schedule: steps } = subscription;
    const { state } = standingOf(this.knowledge.of(resource));
    const fromMs = from === undefined ? Date.now() : Date.parse(from);
    return scheduleOf({ spec: resource.spec, steps, state }, fromMs);
  }
}
