import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import { StoreErrorInterceptor } from '@quittance/persistence';
import { Access } from '@quittance/service';
import { namespaceParameter, parsePath, parseQuery, subscriptionParameter } from '../queries/parameters.js';
import type { Page } from '../queries/views.js';
import { parseReplayRequest, replayIdParameter, replayListQuery } from './parameters.js';
import { ReplayService } from './replay.service.js';
import type { ReplayView } from './views.js';

@Controller('audit/v1/namespaces/:namespace/subscriptions/:subscription/replays')
@UseInterceptors(StoreErrorInterceptor)
export class ReplayController {
  constructor(
    @Inject(Access) private readonly access: Access,
    @Inject(ReplayService) private readonly replays: ReplayService,
  ) {}

  @Post()
  @HttpCode(202)
  async recover(
    @Param('namespace') namespace: string,
    @Param('subscription') subscription: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
  ): Promise<ReplayView> {
    const by = await this.access.require(authorization, namespace, 'manage');
    const path = pathOf(namespace, subscription);
    return this.replays.recover(...path, parseReplayRequest(body), by);
  }

  @Get()
  async list(
    @Param('namespace') namespace: string,
    @Param('subscription') subscription: string,
    @Headers('authorization') authorization: string | undefined,
    @Query() query: unknown,
  ): Promise<Page<ReplayView>> {
    await this.access.require(authorization, namespace, 'read');
    return this.replays.page(...pathOf(namespace, subscription), parseQuery(replayListQuery, query));
  }

  @Get(':id')
  async one(
    @Param('namespace') namespace: string,
    @Param('subscription') subscription: string,
    @Param('id') id: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<ReplayView> {
    await this.access.require(authorization, namespace, 'read');
    return this.replays.one(...pathOf(namespace, subscription), parsePath(replayIdParameter, id, 'replay'));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  async cancel(
    @Param('namespace') namespace: string,
    @Param('subscription') subscription: string,
    @Param('id') id: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<ReplayView> {
    await this.access.require(authorization, namespace, 'manage');
    return this.replays.cancel(
      ...pathOf(namespace, subscription),
      parsePath(replayIdParameter, id, 'replay'),
    );
  }
}

function pathOf(namespace: string, subscription: string): [string, string] {
  return [
    parsePath(namespaceParameter, namespace, 'namespace'),
    parsePath(subscriptionParameter, subscription, 'subscription'),
  ];
}
