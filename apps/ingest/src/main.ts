import { runService } from '@quittance/service';
import { acceptRawBodies } from './raw-body.js';
import { ingestConfig } from './config.js';
import { IngestModule } from './ingest.module.js';

await runService({
  name: 'ingest',
  config: ingestConfig,
  module: (config) => IngestModule.of(config),
  configureHttp: acceptRawBodies,
});
