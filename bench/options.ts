import { parseArgs } from 'node:util';
import { BenchError } from './errors.ts';
import { MAX_BODY_BYTES } from './payload.ts';

export const SCENARIOS = [
  'throughput',
  'latency',
  'fanout',
  'inbound',
  'neighbours',
  'neighbours-shared',
  'backlog',
  'calibrate',
] as const;
export type ScenarioName = (typeof SCENARIOS)[number];
export type NeighbourScenario = 'neighbours' | 'neighbours-shared';
/** Those that send on schedule to subscribers that all answer. */
export type LoadScenario = Exclude<ScenarioName, NeighbourScenario | 'inbound' | 'backlog'>;

export interface BenchOptions {
  scenarios: readonly ScenarioName[];
  /** Events per second; left out, throughput and fan-out look for the highest one that is sustained. */
  rate?: number;
  /** Of the measured phase. */
  durationSeconds?: number;
  warmUpSeconds: number;
  runs: number;
  batch: number;
  bodyBytes: number;
  outstanding: number;
  /** Requests under way per subscription. */
  concurrency: number;
  /** Subscriptions of the fan-out and of the neighbours. */
  endpoints: number;
  /** How many of the neighbours never answer. */
  dead: number;
  /** Deliveries that pile up for a dead subscriber. */
  backlog: number;
  /** How long the receiver takes to answer. */
  answerDelayMs: number;
  /** Do not look for a running stack. */
  isolated: boolean;
}

export const USAGE = `npm run bench [-- options]

  --scenario <name>     throughput, latency, fanout, inbound, neighbours, neighbours-shared or backlog
                        (default: the first three)
                        inbound: webhooks with and without verification, in turn; --runs are its rounds
                        neighbours, neighbours-shared: some subscribers never answer, and what the others notice
                        backlog: a dead subscriber's backlog on a shared partition, and its return
  --calibrate           generator straight to receiver, no stack: what the tools themselves cost
  --rate <n>            events a second (default: throughput and fanout look for the highest sustained one; latency and
                        neighbours 100; neighbours-shared 10; backlog 1000)
  --duration <s>        of the measured load (default: 20; latency 30; neighbours 60; backlog 120: how long it stands)
  --warm-up <s>         of load before it, not in the figures (default: 8; neighbours and backlog 20)
  --runs <n>            repeat, and report the median (default: 1; neighbours 3, each with and without the dead ones)
  --batch <n>           events a request, in the CloudEvents batch mode (default: 1)
  --body <bytes>        size of an event (default: 1024)
  --outstanding <n>     requests to ingest under way at once, at most (default: 256)
  --concurrency <n>     requests to a subscriber under way at once, at most (default: 32)
  --endpoints <n>       subscriptions of fanout and neighbours (default: 10; neighbours-shared 200)
  --dead <n>            how many of the neighbours never answer (default: 1; neighbours-shared 20)
  --backlog <n>         deliveries that pile up for the dead subscriber (default: 100000)
  --answer-delay <ms>   how long the receiver takes to answer (default: 0)
  --isolated            start a stack of its own even if one is running`;

const USUAL = { endpoints: 10, dead: 1, warmUpSeconds: 8, runs: 1 };
/** What is usual for one scenario only. A dead subscriber has timed out for the first time before the figures begin. */
const OWN: Partial<Record<ScenarioName, Partial<typeof USUAL>>> = {
  neighbours: { warmUpSeconds: 20, runs: 3 },
  'neighbours-shared': { endpoints: 200, dead: 20, warmUpSeconds: 20, runs: 3 },
  backlog: { warmUpSeconds: 20 },
};

/** @throws BenchError `invalid_option` */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const given = (name: keyof typeof values, min: number, max: number): number | undefined => {
    const text = values[name];
    if (typeof text !== 'string') return undefined;
    const value = Number(text);
    if (text !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new BenchError('invalid_option', `--${name} must be a whole number from ${min} to ${max}.`);
  };
  const rate = given('rate', 1, 100_000);
  const durationSeconds = given('duration', 1, 3600);
  const scenarios = scenariosOf(values.scenario, values.calibrate === true);
  const usual = { ...USUAL, ...(scenarios.length === 1 && scenarios[0] && OWN[scenarios[0]]) };
  const endpoints = given('endpoints', 1, 1000) ?? usual.endpoints;
  return {
    scenarios,
    ...(rate !== undefined && { rate }),
    ...(durationSeconds !== undefined && { durationSeconds }),
    warmUpSeconds: given('warm-up', 1, 600) ?? usual.warmUpSeconds,
    runs: given('runs', 1, 100) ?? usual.runs,
    batch: given('batch', 1, 100) ?? 1,
    bodyBytes: given('body', 256, MAX_BODY_BYTES) ?? 1024,
    outstanding: given('outstanding', 1, 4096) ?? 256,
    concurrency: given('concurrency', 1, 1000) ?? 32,
    endpoints,
    dead: given('dead', 1, Math.max(1, endpoints - 1)) ?? Math.min(usual.dead, Math.max(1, endpoints - 1)),
    backlog: given('backlog', 1, 10_000_000) ?? 100_000,
    answerDelayMs: given('answer-delay', 0, 60_000) ?? 0,
    isolated: values.isolated === true,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: text,
        rate: text,
        duration: text,
        'warm-up': text,
        runs: text,
        batch: text,
        body: text,
        outstanding: text,
        concurrency: text,
        endpoints: text,
        dead: text,
        backlog: text,
        'answer-delay': text,
        calibrate: flag,
        isolated: flag,
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new BenchError('invalid_option', error instanceof Error ? error.message : String(error));
  }
}

function scenariosOf(name: string | undefined, calibrate: boolean): ScenarioName[] {
  if (calibrate) return ['calibrate'];
  if (name === undefined) return ['throughput', 'latency', 'fanout'];
  const known = SCENARIOS.find((scenario) => scenario === name);
  if (known) return [known];
  throw new BenchError(
    'invalid_option',
    `There is no scenario "${name}". There are: ${SCENARIOS.join(', ')}.`,
  );
}
