import { Body, Controller, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { apiKeyRotation, parseDuration, type ResourceView } from '@quittance/contracts';
import { Access } from '@quittance/service';
import { parseActionBody } from '../resources/action-body.js';
import { KeyRevocation } from './key-revocation.js';
import { KeyRotation } from './key-rotation.js';

@Controller('control/v1/namespaces/:namespace/api-keys/:name')
export class KeyController {
  constructor(
    @Inject(KeyRotation) private readonly rotation: KeyRotation,
    @Inject(KeyRevocation) private readonly revocation: KeyRevocation,
    @Inject(Access) private readonly access: Access,
  ) {}

  @Post('rotate')
  @HttpCode(200)
  async rotate(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
  ): Promise<ResourceView> {
    const actor = await this.access.require(authorization, namespace, 'manage');
    const { overlap } = parseActionBody(apiKeyRotation, body);
    return this.rotation.rotate(namespace, name, parseDuration(overlap), actor);
  }

  /** Works without the database. */
  @Post('revoke')
  @HttpCode(200)
  async revoke(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<ResourceView> {
    const actor = await this.access.require(authorization, namespace, 'manage');
    return this.revocation.revoke(namespace, name, actor);
  }
}
