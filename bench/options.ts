import { parseArgs } from 'node:util';
import { BenchError } from './errors.ts';
import { MAX_BODY_BYTES } from './payload.ts';

export const SCENARIOS = ['throughput', 'latency', 'fanout', 'inbound', 'calibrate'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];
/** Those that send on schedule and follow each event to its subscriber. */
export type LoadScenario = Exclude<ScenarioName, 'inbound'>;

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
  /** Endpoints of the fan-out scenario. */
  endpoints: number;
  /** How long the receiver takes to answer. */
  answerDelayMs: number;
  /** Do not look for a running stack. */
  isolated: boolean;
}

export const USAGE = `npm run bench [-- options]

  --scenario <name>     throughput, latency, fanout or inbound (default: the first three)
                        inbound: webhooks with and without verification, in turn; --runs are its rounds
  --calibrate           generator straight to receiver, no stack: what the tools themselves cost
  --rate <n>            events a second (default: throughput and fanout look for the highest sustained one; latency 100)
  --duration <s>        of the measured load (default: 20; latency 30)
  --warm-up <s>         of load before it, not in the figures (default: 8)
  --runs <n>            repeat, and report the median (default: 1)
  --batch <n>           events a request, in the CloudEvents batch mode (default: 1)
  --body <bytes>        size of an event (default: 1024)
  --outstanding <n>     requests to ingest under way at once, at most (default: 256)
  --concurrency <n>     requests to a subscriber under way at once, at most (default: 32)
  --endpoints <n>       subscriptions of the fan-out (default: 10)
  --answer-delay <ms>   how long the receiver takes to answer (default: 0)
  --isolated            start a stack of its own even if one is running`;

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
  return {
    scenarios: scenariosOf(values.scenario, values.calibrate === true),
    ...(rate !== undefined && { rate }),
    ...(durationSeconds !== undefined && { durationSeconds }),
    warmUpSeconds: given('warm-up', 1, 600) ?? 8,
    runs: given('runs', 1, 100) ?? 1,
    batch: given('batch', 1, 100) ?? 1,
    bodyBytes: given('body', 256, MAX_BODY_BYTES) ?? 1024,
    outstanding: given('outstanding', 1, 4096) ?? 256,
    concurrency: given('concurrency', 1, 1000) ?? 32,
    endpoints: given('endpoints', 1, 100) ?? 10,
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
