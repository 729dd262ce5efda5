import { Module, type DynamicModule } from '@nestjs/common';
import { Access, ADMIN_KEY } from './access.js';
import { KeyUsageModule } from './key-usage.module.js';

/** Provides `Access`. Needs `catalogueModule` and `kafkaModule`. */
export function accessModule(config: { adminKey: string }): DynamicModule {
  return {
    module: AccessModule,
    imports: [KeyUsageModule],
    providers: [Access, { provide: ADMIN_KEY, useValue: config.adminKey }],
    exports: [Access],
  };
}

@Module({})
export class AccessModule {}
