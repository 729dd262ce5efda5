import { Body, Controller, Delete, Get, Headers, Inject, Param, Put, Query, Res } from '@nestjs/common';
import type { ResourcePage, ResourceView } from '@quittance/contracts';
import { Access } from '@quittance/service';
import type { FastifyReply } from 'fastify';
import { kindNamed } from '../resources/kinds.js';
import type { ResourceAddress } from '../resources/resource-body.js';
import { parseQuery, resourceListQuery } from '../resources/resource-query.js';
import { ResourceService } from '../resources/resource.service.js';

/** A namespace stands in itself. */
function addressOf(name: string): ResourceAddress {
  return { kind: kindNamed('Namespace'), namespace: name, name };
}

/** What frames a team is not the team's to change. */
@Controller('control/v1/namespaces')
export class NamespaceController {
  constructor(
    @Inject(ResourceService) private readonly resources: ResourceService,
    @Inject(Access) private readonly access: Access,
  ) {}

  @Put(':namespace')
  async put(
    @Param('namespace') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResourceView> {
    const actor = await this.access.requireAdmin(authorization);
    const { created, resource } = await this.resources.put(addressOf(name), body, actor);
    void reply.code(created ? 201 : 200);
    return resource;
  }

  /** A team may see its own. */
  @Get(':namespace')
  async get(
    @Param('namespace') name: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<ResourceView> {
    await this.access.require(authorization, name, 'read');
    return this.resources.get(addressOf(name));
  }

  @Get()
  async list(
    @Headers('authorization') authorization: string | undefined,
    @Query() query: Record<string, unknown>,
  ): Promise<ResourcePage> {
    await this.access.requireAdmin(authorization);
    return this.resources.list(kindNamed('Namespace'), undefined, parseQuery(resourceListQuery, query));
  }

  @Delete(':namespace')
  async delete(
    @Param('namespace') name: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<ResourceView> {
    const actor = await this.access.requireAdmin(authorization);
    return this.resources.delete(addressOf(name), actor);
  }
}
