import { runService } from '@quittance/service';
import { controlConfig } from './config.js';
import { ControlModule } from './control.module.js';
import { runSetup } from './setup/setup.command.js';

// Set-up is no command of the service: it runs with other rights, and without the service's secrets.
if (process.argv[2] === 'setup') {
  await runSetup(process.env);
} else {
  await runService({
    name: 'control',
    config: controlConfig,
    module: (config) => ControlModule.of(config),
    configureHttp: (fastify) => fastify.removeContentTypeParser('text/plain'),
  });
}
