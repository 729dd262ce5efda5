import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figures } from './figures.ts';
import { backlogVoidReasons, renderBacklog } from './backlog-report.ts';
import type { BacklogReport } from './backlog.ts';
import { renderInbound, type InboundReport } from './inbound.ts';
import type { LoadResult } from './load.ts';
import type { MachineFacts } from './machine.ts';
import { neighbourVoidReasons, renderNeighbours, type NeighboursReport } from './neighbours.ts';
import type { BenchOptions, ScenarioName } from './options.ts';
import { medianOf, type Distribution } from './statistics.ts';

export interface ScenarioReport {
  scenario: ScenarioName;
  endpoints: number;
  /** Of all runs, figure by figure. */
  median: Figures;
  runs: LoadResult[];
}

export interface Report {
  at: string;
  stack: string;
  machine: MachineFacts;
  options: BenchOptions;
  /** What the services exported to the sink; missing without one. */
  traces?: { requests: number; bytes: number };
  scenarios: ScenarioReport[];
  /** Of the scenario `inbound`. */
  inbound?: InboundReport;
  neighbours?: NeighboursReport;
  backlog?: BacklogReport;
}

export function scenarioReport(
  scenario: ScenarioName,
  endpoints: number,
  runs: LoadResult[],
): ScenarioReport {
  return { scenario, endpoints, median: medianOf(runs.map(({ figures }) => figures)), runs };
}

/** @returns why any run is void; empty when all figures stand */
export function voidReasons({ scenarios, neighbours, backlog }: Report): string[] {
  return [
    ...scenarios.flatMap(({ scenario, runs }) =>
      runs.flatMap(({ objections }, index) =>
        objections.map((why) => `${scenario}, run ${index + 1}: ${why}`),
      ),
    ),
    ...(neighbours ? neighbourVoidReasons(neighbours) : []),
    ...(backlog ? backlogVoidReasons(backlog) : []),
  ];
}

/** @returns the file */
export async function writeReport(report: Report): Promise<string> {
  const directory = join(import.meta.dirname, 'results');
  await mkdir(directory, { recursive: true });
  const file = join(directory, `${report.at.replaceAll(/[:.]/g, '-')}.json`);
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
  return file;
}

export function renderReport(report: Report): string {
  const { machine, options } = report;
  return [
    '',
    `${machine.cores} cores (${machine.processor}), ${machine.memoryGiB.toFixed(1)} GiB, ${machine.system}; Node ${machine.node}, ` +
      `Kafka ${machine.kafka}, Postgres ${machine.postgres}; commit ${machine.commit}; load before ${machine.load.toFixed(2)}`,
    `Measured on ${report.stack}. Generator and receiver share the machine.`,
    `Events of ${options.bodyBytes} B, ${options.batch} a request; concurrency ${options.concurrency} per subscription; ` +
      `receiver answers ${options.answerDelayMs === 0 ? 'at once' : `after ${options.answerDelayMs} ms`}; ` +
      `median of ${options.runs} run(s).`,
    ...(report.traces
      ? [
          `Spans exported: ${report.traces.requests} requests, ${(report.traces.bytes / 2 ** 20).toFixed(1)} MiB.`,
        ]
      : []),
    ...report.scenarios.flatMap(renderScenario),
    ...(report.inbound ? [renderInbound(report.inbound)] : []),
    ...(report.neighbours ? [renderNeighbours(report.neighbours)] : []),
    ...(report.backlog ? [renderBacklog(report.backlog)] : []),
  ].join('\n');
}

function renderScenario({ scenario, endpoints, median, runs }: ScenarioReport): string[] {
  const sustained = runs.every((run) => run.sustained);
  const each = endpoints === 1 ? '' : `, each to ${endpoints} endpoints`;
  return [
    '',
    `== ${scenario}: ${median.scheduledPerSecond.toFixed(0)} events/s scheduled${each}: ${sustained ? 'sustained' : 'NOT SUSTAINED'} ==`,
    '',
    row('accepted/s', number(median.acceptedPerSecond)),
    row('delivered/s', number(median.deliveredPerSecond)),
    row('', 'p50', 'p95', 'p99', 'max'),
    distribution('scheduled → arrival, ms', median.latencyMs),
    distribution('scheduled → 202, ms', median.acceptanceMs),
    distribution('scheduled → socket, ms', median.generatorDelayMs),
    row('last 202 / arrival / ledger, ms late', ...lags(median)),
    row(
      'held back by the generator',
      number(median.heldBack),
      `(longest queue ${number(median.longestQueue)})`,
    ),
    '',
    row('', 'CPU-ms/1000', 'peak MiB'),
    ...processes(median.processes),
    row('sum', number(median.cpuMsPer1000)),
    ...processes(median.tools, 'tool: '),
    '',
    ...runs.map(renderLedger),
  ];
}

function renderLedger({ ledger, recorded, errors, objections }: LoadResult, index: number): string {
  const { events, accepted, refused, owed, deliveredOnce, duplicated, lost, repetitions, unaccepted } =
    ledger;
  const notes = [
    ...Object.entries(refused).map(([status, count]) => `${count} × ${status}`),
    ...Object.entries(errors).map(([code, count]) => `${count} requests failed with ${code}`),
    ...(repetitions > 0 ? [`${repetitions} repeated requests`] : []),
    ...(unaccepted > 0 ? [`${unaccepted} arrivals of what was not accepted`] : []),
    ...(recorded === undefined ? [] : [`audit lists ${recorded} as delivered`]),
  ];
  return (
    `run ${index + 1}: ${events} sent, ${accepted} accepted; ${owed} owed = ${deliveredOnce} delivered once + ` +
    `${duplicated} duplicated + ${lost} lost${notes.map((note) => `; ${note}`).join('')}` +
    (objections.length > 0 ? `\n  VOID: ${objections.join('; ')}` : '')
  );
}

function lags({ lastAcceptedLagMs, lastArrivalLagMs, ledgerLagMs }: Figures): string[] {
  return [lastAcceptedLagMs, lastArrivalLagMs, ledgerLagMs].map(number);
}

function distribution(name: string, { p50, p95, p99, max }: Distribution): string {
  return row(name, ...[p50, p95, p99, max].map(number));
}

function processes(of: Figures['processes'], prefix = ''): string[] {
  return Object.entries(of).map(([name, { cpuMsPer1000, peakRssMiB }]) =>
    row(prefix + name, number(cpuMsPer1000), number(peakRssMiB)),
  );
}

function row(name: string, ...cells: string[]): string {
  return `  ${name.padEnd(38)}${cells.map((cell) => cell.padStart(12)).join('')}`;
}

function number(value: number): string {
  if (Number.isNaN(value)) return '–';
  return value.toFixed(Math.abs(value) < 100 && !Number.isInteger(value) ? 2 : 0);
}
