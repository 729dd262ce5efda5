import { say as sayAs, tolerateClosedTerminal } from '../deploy/local/terminal.ts';
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
} from './messages.ts';
import { readOptions, USAGE, type BenchOptions } from './options.ts';
import { renderReport, scenarioReport, voidReasons, writeReport, type Report } from './report.ts';
import { kindOf, runScenario, type Bench } from './scenario.ts';
import { findRunningTarget, startTarget, type Target } from './target.ts';
import { Worker } from './worker.ts';

const HOST = '127.0.0.1';
const say = (text: string): void => sayAs('bench', text);

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
  const generator = new Worker<GeneratorRequest, GeneratorReply>('generator');
  const receiver = new Worker<ReceiverRequest, ReceiverReply>('receiver');
  for (const tool of [generator, receiver]) {
    undo.push(() => tool.stop());
    calledOff.signal.addEventListener('abort', () => tool.stop());
  }
  const { answerDelayMs } = options;
  const listening = await receiver.ask({ type: 'listen', host: HOST, answerDelayMs }, 'listening');

  const { target, sink } = await openTarget(options);
  const bench: Bench = {
    options,
    tools: { generator, receiver, signal: calledOff.signal },
    receiver: { origin: listening.origin, paths: listening.paths },
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
    if (scenario === 'inbound') {
      report.inbound = await runInbound(options, target);
      continue;
    }
    const results = await runScenario(scenario, bench);
    report.scenarios.push(scenarioReport(scenario, kindOf(scenario, options).endpoints, results));
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

async function runInbound(options: BenchOptions, target: Target | undefined): Promise<InboundReport> {
  if (!target) throw new BenchError('invalid_option', 'The scenario inbound needs a stack.');
  const sender = new Worker<SenderRequest, SenderReply>('sender');
  undo.push(() => sender.stop());
  calledOff.signal.addEventListener('abort', () => sender.stop());
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
  const sink = new Worker<SinkRequest, SinkReply>('trace-sink');
  undo.push(() => sink.stop());
  const { origin } = await sink.ask({ type: 'listen', host: HOST }, 'listening');
  const target = await startTarget(origin, sayAs, calledOff.signal);
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
