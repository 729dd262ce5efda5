import { Body, Controller, Delete, Get, Headers, Inject, Param, Put, Query, Res } from '@nestjs/common';
import { Problem, type ResourcePage, type ResourceView } from '@quittance/contracts';
import { Access } from '@quittance/service';
import type { FastifyReply } from 'fastify';
import { kindOfSegment, KINDS, type Kind } from './kinds.js';
import { parseQuery, resourceListQuery } from './resource-query.js';
import { ResourceService } from './resource.service.js';

@Controller('control/v1/namespaces/:namespace')
export class ResourceController {
  constructor(
    @Inject(ResourceService) private readonly resources: ResourceService,
    @Inject(Access) private readonly access: Access,
  ) {}

  @Put(':kind/:name')
  async put(
    @Param('namespace') namespace: string,
    @Param('kind') segment: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResourceView> {
    const actor = await this.access.require(authorization, namespace, 'manage');
    const { created, resource } = await this.resources.put(
      { kind: kindOf(segment), namespace, name },
      body,
      actor,
    );
    void reply.code(created ? 201 : 200);
    return resource;
  }

  @Get(':kind/:name')
  async get(
    @Param('namespace') namespace: string,
    @Param('kind') segment: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<ResourceView> {
    await this.access.require(authorization, namespace, 'read');
    return this.resources.get({ kind: kindOf(segment), namespace, name });
  }

  @Get(':kind')
  async list(
    @Param('namespace') namespace: string,
    @Param('kind') segment: string,
    @Headers('authorization') authorization: string | undefined,
    @Query() query: unknown,
  ): Promise<ResourcePage> {
    await this.access.require(authorization, namespace, 'read');
    return this.resources.list(kindOf(segment), namespace, parseQuery(resourceListQuery, query));
  }

  @Delete(':kind/:name')
  async delete(
    @Param('namespace') namespace: string,
    @Param('kind') segment: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<ResourceView> {
    const actor = await this.access.require(authorization, namespace, 'manage');
    return this.resources.delete({ kind: kindOf(segment), namespace, name }, actor);
  }
}

function kindOf(segment: string): Kind {
  const kind = kindOfSegment(segment);
  if (kind) return kind;
  const known = KINDS.flatMap((each) => each.segment ?? []).join(', ');
  throw new Problem('not_found', `There are no resources "${segment}". There are: ${known}.`);
}
