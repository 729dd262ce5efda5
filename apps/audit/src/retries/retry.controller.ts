import { Controller, Headers, HttpCode, Inject, Param, Post, UseInterceptors } from '@nestjs/common';
import { StoreErrorInterceptor } from '@quittance/persistence';
import { Access } from '@quittance/service';
import { deliveryIdParameter, namespaceParameter, parsePath } from '../queries/parameters.js';
import type { AcceptedRetry } from '../queries/views.js';
import { RetryService } from './retry.service.js';

@Controller('audit/v1/namespaces/:namespace/deliveries')
@UseInterceptors(StoreErrorInterceptor)
export class RetryController {
  constructor(
    @Inject(Access) private readonly access: Access,
    @Inject(RetryService) private readonly retries: RetryService,
  ) {}

  @Post(':id/retry')
  @HttpCode(202)
  async retry(
    @Param('namespace') namespace: string,
    @Param('id') id: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<AcceptedRetry> {
    const by = await this.access.require(authorization, namespace, 'manage');
    return this.retries.retry(
      parsePath(namespaceParameter, namespace, 'namespace'),
      parsePath(deliveryIdParameter, id, 'delivery'),
      by,
    );
  }
}
