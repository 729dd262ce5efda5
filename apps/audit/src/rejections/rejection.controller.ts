import { Controller, Get, Headers, Inject, Param, Query, UseInterceptors } from '@nestjs/common';
import { StoreErrorInterceptor } from '@quittance/persistence';
import { Access } from '@quittance/service';
import {
  namespaceParameter,
  parsePath,
  parseQuery,
  rejectionIdParameter,
  rejectionListQuery,
} from '../queries/parameters.js';
import type { Page } from '../queries/views.js';
import { RejectionRecords } from './rejection-records.js';
import type { RejectionSummary, RejectionView } from './views.js';

/** What was refused, and why? */
@Controller('audit/v1/namespaces/:namespace/rejections')
@UseInterceptors(StoreErrorInterceptor)
export class RejectionController {
  constructor(
    @Inject(Access) private readonly access: Access,
    @Inject(RejectionRecords) private readonly records: RejectionRecords,
  ) {}

  @Get()
  async list(
    @Param('namespace') namespace: string,
    @Headers('authorization') authorization: string | undefined,
    @Query() query: unknown,
  ): Promise<Page<RejectionSummary>> {
    await this.access.require(authorization, namespace, 'read');
    return this.records.page(
      parsePath(namespaceParameter, namespace, 'namespace'),
      parseQuery(rejectionListQuery, query),
    );
  }

  @Get(':id')
  async one(
    @Param('namespace') namespace: string,
    @Param('id') id: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<RejectionView> {
    await this.access.require(authorization, namespace, 'read');
    return this.records.one(
      parsePath(namespaceParameter, namespace, 'namespace'),
      parsePath(rejectionIdParameter, id, 'rejection'),
    );
  }
}
