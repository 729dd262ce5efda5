import { Body, Controller, Headers, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { Access } from '@quittance/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseActionBody } from '../resources/action-body.js';
import { SimulationService } from './simulation.service.js';
import { SubscriptionTestService } from './subscription-test.service.js';
import {
  simulation,
  subscriptionTest,
  type SimulationResult,
  type SubscriptionTestResult,
} from './trial-bodies.js';

/** A way to try sources and subscriptions, on the real path. */
@Controller('control/v1/namespaces/:namespace')
export class TrialController {
  constructor(
    @Inject(SimulationService) private readonly simulations: SimulationService,
    @Inject(SubscriptionTestService) private readonly tests: SubscriptionTestService,
    @Inject(Access) private readonly access: Access,
  ) {}

  /** 200 whatever ingest answered: its refusal is what one wanted to know. */
  @Post('sources/:name/simulate')
  @HttpCode(200)
  async simulate(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<SimulationResult> {
    await this.access.require(authorization, namespace, 'manage');
    return this.simulations.simulate(namespace, name, parseActionBody(simulation, body), request.span);
  }

  /** 200 once an attempt was made, or none will be; 202 while that is not known. */
  @Post('subscriptions/:name/test')
  async test(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SubscriptionTestResult> {
    await this.access.require(authorization, namespace, 'manage');
    const asked = parseActionBody(subscriptionTest, body);
    const { isSettled, result } = await this.tests.test(namespace, name, asked, request.span);
    void reply.code(isSettled ? 200 : 202);
    return result;
  }
}
