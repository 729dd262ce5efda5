import { runService } from '@quittance/service';
import { AuditModule } from './audit.module.js';
import { auditConfig } from './config.js';

await runService({
  name: 'audit',
  config: auditConfig,
  module: (config) => AuditModule.of(config),
  configureHttp: (fastify) => fastify.removeContentTypeParser('text/plain'),
});
