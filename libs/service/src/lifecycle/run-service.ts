import 'reflect-metadata';
import type { DynamicModule } from '@nestjs/common';
import { startTelemetry } from '@quittance/telemetry';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type * as z from 'zod';
import manifest from '../../../../package.json' with { type: 'json' };
import { ConfigError, readConfig, type ServiceConfig } from '../config/config.js';
import { createLogger, flushLogger } from '../logging/logger.js';
import { endOnSignals } from './process-end.js';
import { Service } from './service.js';

/** EX_CONFIG of sysexits.h: repeating the start is pointless until somebody has changed the configuration. */
const EXIT_CONFIG = 78;

export type ServiceName = 'ingest' | 'router' | 'dispatcher' | 'audit' | 'control';

export interface ServiceOptions<C> {
  name: ServiceName;
  /** Parsed from `process.env`; see `defineConfig`. */
  config: z.ZodType<C>;
  /** The app's root module. */
  module: (config: C) => DynamicModule;
  /** Given by services with a public port: called before routes are added. */
  configureHttp?: (fastify: FastifyInstance, config: C) => void;
  /** One-shot jobs: `main.js <command>` runs one instead of the service. */
  commands?: Record<string, (config: C, logger: Logger) => Promise<void>>;
}

/**
 * Runs a service until it is told to stop, or one of its commands. Exit codes: 0 after an orderly end, 1 after a failure,
 * 78 when the configuration is not valid.
 */
export async function runService<C extends ServiceConfig>(options: ServiceOptions<C>): Promise<void> {
  const { name } = options;
  const { version } = manifest;
  const config = configOrExit(options);
  const logger = createLogger({ service: name, version, level: config.logLevel });
  const [command] = process.argv.slice(2);
  if (command !== undefined) {
    await runCommand(command, options, config, logger);
    return;
  }
  try {
    const telemetry = await startTelemetry({
      service: name,
      version,
      log: (level, message) => logger[level](message),
    });
    const service = new Service({ ...options, config, logger });
    endOnSignals(logger, {
      async close(enter) {
        await service.close(enter);
        enter('exporting the last spans');
        await telemetry.shutdown();
      },
    });
    await service.start();
  } catch (error) {
    logger.fatal({ err: error }, `The service could not start: ${messageOf(error)}`);
    await flushLogger(logger);
    process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
  }
}

function configOrExit<C>(options: ServiceOptions<C>): C {
  try {
    return readConfig(options.config, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`quittance ${options.name}: ${error.message}\n`);
    process.exit(EXIT_CONFIG);
  }
}

async function runCommand<C>(
  command: string,
  options: ServiceOptions<C>,
  config: C,
  logger: Logger,
): Promise<void> {
  const run = options.commands?.[command];
  if (!run) {
    const known = Object.keys(options.commands ?? {});
    const hint = known.length === 0 ? 'It has no commands.' : `Its commands are: ${known.join(', ')}.`;
    process.stderr.write(`quittance ${options.name}: there is no command "${command}". ${hint}\n`);
    process.exit(64);
  }
  let code = 0;
  try {
    await run(config, logger);
  } catch (error) {
    logger.fatal({ err: error }, `"${command}" failed: ${messageOf(error)}`);
    code = 1;
  }
  await flushLogger(logger);
  process.exit(code);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
