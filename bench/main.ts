import { say as sayAs, tolerateClosedTerminal } from '../deploy/local/terminal.ts';
import { measureBacklog, type BacklogReport } from './backlog.ts';
import { BenchError } from './errors.ts';
import { measureInbound, type InboundReport } from './inbound.ts';
import { machineFacts } from './machine.ts';
import type {
  GeneratorReply,
  GeneratorRequest,
  ReceiverReply,
  ReceiverRequest,
  SenderReply,
  SenderRequest,
  SinkReply,
  SinkRequest,
  WatchReply,
  WatchRequest,
} from './messages.ts';
import type { Watch } from './neighbour-run.ts';
import { measureNeighbours } from './neighbours.ts';
import { readOptions, USAGE, type BenchOptions, type ScenarioName } from './options.ts';
import { renderReport, scenarioReport, voidReasons, writeReport, type Report } from './report.ts';
import { kindOf, runScenario, type Bench, type Receiver } from './scenario.ts';
import type { Receiving } from './sending.ts';
import { findRunningTarget, startTarget, type Target } from './target.ts';
import { Worker } from './worker.ts';

const HOST = '127.0.0.1';
const say = (text: string): void => sayAs('bench', text);

/** What a scenario needs of a stack that is started for it. */
const STACK: Partial<Record<ScenarioName, Record<string, string>>> = {
  neighbours: { QUITTANCE_DELIVERIES_PARTITIONS: '64' },
  'neighbours-shared': { QUITTANCE_DELIVERIES_PARTITIONS: '64' },
  // Few homes, so that the dead subscriber shares its own; steps that come round while the backlog stands.
  backlog: { QUITTANCE_DELIVERIES_PARTITIONS: '4', QUITTANCE_RETRY_LADDER: '5s,10s,20s,40s,80s,160s' },
};

/** What has to be ended, last things first. */
const undo: (() => Promise<void> | void)[] = [];
const calledOff = new AbortController();

tolerateClosedTerminal();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(`${USAGE}\n`);
  else process.exitCode = await run(options);
} catch (error) {
  process.exitCode = calledOff.signal.aborted ? 130 : 1;
  const isKnown = error instanceof Error && 'code' in error && typeof error.code === 'string';
  process.stderr.write(
    `\n${isKnown ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  if (error instanceof BenchError && error.code === 'invalid_option') process.stderr.write(`\n${USAGE}\n`);
} finally {
  await undoAll();
}

/** @returns the exit code: 1 when any run is void */
async function run(options: BenchOptions): Promise<number> {
  const machine = await machineFacts();
  const generator = hire(new Worker<GeneratorRequest, GeneratorReply>('generator'));
  const { receiver, listening } = await hireReceiver(options);

  const { target, sink } = await openTarget(options);
  const bench: Bench = {
    options,
    tools: { generator, receiver, signal: calledOff.signal },
    receiver: listening,
    ...(target && { target }),
    toolProcesses: [
      { name: 'generator', pid: generator.pid, isOwn: true },
      { name: 'receiver', pid: receiver.pid, isOwn: true },
      ...(sink ? [{ name: 'trace sink', pid: sink.pid, isOwn: true }] : []),
    ],
    say,
  };
  const report: Report = {
    at: new Date().toISOString(),
    stack: target?.description ?? 'nothing: the generator posts to the receiver',
    machine,
    options,
    scenarios: [],
  };
  for (const scenario of options.scenarios) {
    say(`Scenario ${scenario}`);
    switch (scenario) {
      case 'inbound':
        report.inbound = await runInbound(options, needed(target));
        break;
      case 'neighbours':
      case 'neighbours-shared':
        report.neighbours = await measureNeighbours(
          scenario,
          { ...bench, target: needed(target) },
          await watchOf(needed(target)),
        );
        break;
      case 'backlog':
        report.backlog = await runBacklog({ ...bench, target: needed(target) });
        break;
      default: {
        const results = await runScenario(scenario, bench);
        report.scenarios.push(scenarioReport(scenario, kindOf(scenario, options).endpoints, results));
      }
    }
  }
  if (sink) {
    const { requests, bytes } = await sink.ask({ type: 'count' }, 'counted');
    report.traces = { requests, bytes };
  }
  const file = await writeReport(report);
  process.stdout.write(`${renderReport(report)}\n\nWritten to ${file}\n`);
  const reasons = voidReasons(report);
  if (reasons.length > 0)
    process.stdout.write(`\nVOID: these figures must not be used.\n${reasons.join('\n')}\n`);
  return reasons.length > 0 ? 1 : 0;
}

/** A tool that ends with the measurement, or when it is called off. */
function hire<Request extends object, Reply extends { type: string }>(
  tool: Worker<Request, Reply>,
): Worker<Request, Reply> {
  undo.push(() => tool.stop());
  calledOff.signal.addEventListener('abort', () => tool.stop());
  return tool;
}

async function hireReceiver({
  answerDelayMs,
}: BenchOptions): Promise<{ receiver: Receiving; listening: Receiver }> {
  const receiver = hire(new Worker<ReceiverRequest, ReceiverReply>('receiver'));
  const { origin, paths } = await receiver.ask({ type: 'listen', host: HOST, answerDelayMs }, 'listening');
  return { receiver, listening: { origin, paths } };
}

async function watchOf({ kafka }: Target): Promise<Watch> {
  const watch = hire(new Worker<WatchRequest, WatchReply>('topic-watch'));
  await watch.ask({ type: 'open', ...kafka }, 'opened');
  return watch;
}

async function runBacklog(bench: Bench & { target: Target }): Promise<BacklogReport> {
  const generator = hire(new Worker<GeneratorRequest, GeneratorReply>('generator'));
  return measureBacklog(bench, await watchOf(bench.target), {
    generator,
    ...(await hireReceiver(bench.options)),
  });
}

function needed(target: Target | undefined): Target {
  if (target) return target;
  throw new BenchError('invalid_option', 'This scenario needs a stack.');
}

async function runInbound(options: BenchOptions, target: Target): Promise<InboundReport> {
  const sender = hire(new Worker<SenderRequest, SenderReply>('sender'));
  const { runs, durationSeconds, bodyBytes } = options;
  return measureInbound(
    target,
    sender,
    { rounds: runs, seconds: durationSeconds ?? 5, connections: 32, bodyBytes },
    say,
  );
}

async function openTarget(
  options: BenchOptions,
): Promise<{ target?: Target; sink?: Worker<SinkRequest, SinkReply> }> {
  if (options.scenarios.includes('calibrate')) return {};
  const running = options.isolated ? undefined : await findRunningTarget();
  if (running) {
    say(`A stack is running on the default ports: it is measured as it is. (--isolated starts another one.)`);
    return { target: running };
  }
  say('Starting a stack of its own, with empty stores …');
  const sink = hire(new Worker<SinkRequest, SinkReply>('trace-sink'));
  const { origin } = await sink.ask({ type: 'listen', host: HOST }, 'listening');
  const own = Object.assign({}, ...options.scenarios.map((scenario) => STACK[scenario])) as Record<
    string,
    string
  >;
  const target = await startTarget(own, origin, sayAs, calledOff.signal);
  undo.push(() => target.stop());
  return { target, sink };
}

async function undoAll(): Promise<void> {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
}

/** Ends the tools, or the start of the stack: whoever waits for them fails, and cleans up on the usual way out. */
function interrupt(): void {
  if (calledOff.signal.aborted) process.exit(130);
  say('Interrupted: cleaning up. Once more to stop at once.');
  calledOff.abort(new BenchError('interrupted', 'The measurement was interrupted.'));
}
