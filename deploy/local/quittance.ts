import { buildServices, bundleOf } from './build.ts';
import { LocalStackError } from './errors.ts';
import { readSettings } from './settings.ts';

/** Builds the command-line program if it is stale, and runs it against the stack of `npm start`, unless told otherwise. */
try {
  const { host, kafka, topicPrefix } = readSettings(process.env);
  process.env['QUITTANCE_KAFKA_BROKERS'] ||= `${host}:${kafka.port}`;
  process.env['QUITTANCE_TOPIC_PREFIX'] ||= topicPrefix;
  // Not on standard output, which may be JSON for another program.
  await buildServices((line) => process.stderr.write(`${line}\n`));
} catch (error) {
  if (!(error instanceof LocalStackError)) throw error;
  process.stderr.write(`quittance: ${error.message}\n`);
  process.exit(1);
}
await import(bundleOf('cli'));
