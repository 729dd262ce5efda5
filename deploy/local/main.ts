import { parseArgs } from 'node:util';
import { LocalStackError } from './errors.ts';
import { PortsTakenError } from './ports.ts';
import { readSettings, type LocalSettings } from './settings.ts';
import { LocalStack, StoppedError } from './stack.ts';
import { say, tolerateClosedTerminal } from './terminal.ts';

const USAGE = `npm start [-- options]

  --fresh   delete all local data first
  --demo    also publish an event a second, and print each one as it arrives at a receiver

Ports, the admin key and more are set by environment variables: see deploy/local/settings.ts.`;

/** One Ctrl-C can arrive twice: from the terminal, and forwarded by the parent. A second one by hand comes later. */
const SAME_SIGNAL_MS = 500;

const startedAt = performance.now();
tolerateClosedTerminal();
const { fresh, demo } = readArguments();

try {
  const settings = readSettings(process.env);
  const stack = new LocalStack({ settings, env: process.env, fresh, demo, say });
  stopOnSignal(stack);
  try {
    await stack.start();
    printWelcome(settings);
  } catch (error) {
    await stack.stop();
    throw error;
  }
} catch (error) {
  if (!(error instanceof StoppedError)) fail(error);
}

function readArguments(): { fresh: boolean; demo: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        fresh: { type: 'boolean' },
        demo: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (!values.help) return { fresh: values.fresh ?? false, demo: values.demo ?? false };
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

function stopOnSignal(stack: LocalStack): void {
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt < SAME_SIGNAL_MS) return;
      say('stack', 'Not waiting any longer: what still runs is ended now.');
      process.exit(130);
    }
    firstAt = performance.now();
    say('stack', 'Stopping: the services drain, then Postgres and Kafka end. Once more to stop at once.');
    void stack.stop().then(() => {
      say('stack', 'Stopped. The data is kept: `npm start` goes on with it.');
      process.exit();
    });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // The channel to start.mjs ends with it, also when it was killed.
  process.on('disconnect', onSignal);
}

function printWelcome({ host, services, kafka, postgres, adminKey, directory }: LocalSettings): void {
  const url = (port: number | undefined): string => `http://${host}:${port}`;
  const key = process.env['QUITTANCE_ADMIN_KEY'] ? '$QUITTANCE_ADMIN_KEY' : adminKey;
  process.stdout.write(
    `
Quittance is running (started in ${((performance.now() - startedAt) / 1000).toFixed(1)} s). Ctrl-C stops it; the data is kept.

  ingest    ${url(services.ingest.port)}   events go in here
  control   ${url(services.control.port)}   event types, subscriptions, keys
  audit     ${url(services.audit.port)}   what became of an event
  health    ${Object.entries(services)
    .map(([name, { managementPort }]) => `${name} :${managementPort}`)
    .join(', ')}   (/readyz, /metrics)
  kafka     ${host}:${kafka.port}
  postgres  ${host}:${postgres.port}
  logs      ${directory}/logs

Try it: declare an event type, then publish an event of it.

  curl -X PUT ${url(services.control.port)}/control/v1/namespaces/shop/event-types/order.completed \\
    -H 'authorization: Bearer ${key}' -H 'content-type: application/json' -d '{"spec": {}}'
  curl ${url(services.ingest.port)}/v1/events -H 'quittance-namespace: shop' \\
    -H 'authorization: Bearer ${key}' -H 'content-type: application/json' \\
    -d '{"type": "order.completed", "data": {"total": 120.5}}'
`,
  );
}

function fail(error: unknown): never {
  const isKnown = error instanceof LocalStackError || error instanceof PortsTakenError;
  const text = isKnown
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
  process.stderr.write(`\nQuittance did not start.\n\n${text}\n`);
  process.exit(1);
}
