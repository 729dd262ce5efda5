import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { parseDuration, secretRotation } from '@quittance/contracts';
import { Access } from '@quittance/service';
import { parseActionBody } from '../resources/action-body.js';
import type { PublicKeysAnswer, RotationAnswer, SecretAnswer } from './secret-bodies.js';
import { SecretService } from './secret.service.js';

@Controller('control/v1/namespaces/:namespace/subscriptions/:name')
export class SecretController {
  constructor(
    @Inject(SecretService) private readonly secrets: SecretService,
    @Inject(Access) private readonly access: Access,
  ) {}

  /** The secret that the subscriber verifies with. */
  @Get('secret')
  async read(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<SecretAnswer> {
    const actor = await this.access.require(authorization, namespace, 'manage');
    return this.secrets.read(namespace, name, actor);
  }

  @Post('secret/rotate')
  @HttpCode(200)
  async rotate(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
  ): Promise<RotationAnswer> {
    const actor = await this.access.require(authorization, namespace, 'manage');
    const { overlap } = parseActionBody(secretRotation, body);
    return this.secrets.rotate(namespace, name, parseDuration(overlap), actor);
  }

  @Get('public-keys')
  async publicKeys(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<PublicKeysAnswer> {
    await this.access.require(authorization, namespace, 'read');
    return this.secrets.publicKeys(namespace, name);
  }
}
