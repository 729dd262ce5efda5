import { Module, type DynamicModule } from '@nestjs/common';
import { Access, ADMIN_KEY } from './access.js';

/** Provides `Access`. Needs `catalogueModule`. */
export function accessModule(config: { adminKey: string }): DynamicModule {
  return {
    module: AccessModule,
    providers: [Access, { provide: ADMIN_KEY, useValue: config.adminKey }],
    exports: [Access],
  };
}

@Module({})
export class AccessModule {}
