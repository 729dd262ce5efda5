import { runService } from '@quittance/service';
import { dispatcherConfig } from './config.js';
import { DispatcherModule } from './dispatcher.module.js';

await runService({
  name: 'dispatcher',
  config: dispatcherConfig,
  module: (config) => DispatcherModule.of(config),
});
