import { Body, Controller, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { ResourceView } from '@quittance/contracts';
import { Access } from '@quittance/service';
import { parseActionBody } from '../resources/action-body.js';
import { relocation, resumption } from './action-bodies.js';
import { SubscriptionActions } from './subscription-actions.js';

@Controller('control/v1/namespaces/:namespace/subscriptions/:name')
export class ActionController {
  constructor(
    @Inject(SubscriptionActions) private readonly actions: SubscriptionActions,
    @Inject(Access) private readonly access: Access,
  ) {}

  @Post('pause')
  @HttpCode(200)
  async pause(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<ResourceView> {
    const actor = await this.access.require(authorization, namespace, 'manage');
    return this.actions.pause(namespace, name, actor);
  }

  @Post('resume')
  @HttpCode(200)
  async resume(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
  ): Promise<ResourceView> {
    const actor = await this.access.require(authorization, namespace, 'manage');
    const { skip } = parseActionBody(resumption, body);
    return this.actions.resume(namespace, name, skip, actor);
  }

  @Post('move')
  @HttpCode(200)
  async move(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
  ): Promise<ResourceView> {
    const actor = await this.access.require(authorization, namespace, 'manage');
    const { partition } = parseActionBody(relocation, body);
    return this.actions.move(namespace, name, partition, actor);
  }
}
