import { runService } from '@quittance/service';
import { routerConfig } from './config.js';
import { RouterModule } from './router.module.js';

await runService({
  name: 'router',
  config: routerConfig,
  module: (config) => RouterModule.of(config),
});
