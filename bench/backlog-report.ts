import type { BacklogReport, PhaseFigures } from './backlog.ts';

export function renderBacklog(report: BacklogReport): string {
  const { plan, sharing, phases, ledger, states, unanswered, objections } = report;
  const { owed, deliveredOnce, duplicated, lost } = ledger;
  const max = phases.reduce((most, { retries }) => Math.max(most, retries.max || 0), 0);
  return [
    '',
    `== backlog: ${plan.backlog} deliveries of a dead subscriber that shares its partition with ${sharing} of ${plan.others} ==`,
    '',
    row('', 'seconds', 'retries/s', 'at most', 'p99 beside', 'max', 'p99 elsewhere'),
    ...phases.map(phase),
    '',
    `  Records written to retry topics: at most ${max.toFixed(0)} in a second.`,
    `  Back: the first delivery after ${report.firstAfterSeconds.toFixed(1)} s, the last after ${report.allAfterSeconds.toFixed(1)} s.`,
    '',
    `${owed} owed = ${deliveredOnce} delivered once + ${duplicated} duplicated + ${lost} lost; ${unanswered} requests ` +
      `while it was dead; audit lists ${
        Object.entries(states)
          .map(([state, count]) => `${count} ${state}`)
          .join(', ') || 'nothing'
      }`,
    ...(objections.length > 0 ? [`  VOID: ${objections.join('; ')}`] : []),
  ].join('\n');
}

export function backlogVoidReasons({ objections }: BacklogReport): string[] {
  return objections.map((why) => `backlog: ${why}`);
}

function phase({ phase: name, seconds, retries, sharingMs, apartMs }: PhaseFigures): string {
  const { average, max } = retries;
  return row(name, ...[seconds, average, max, sharingMs.p99, sharingMs.max, apartMs.p99].map(number));
}

function number(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(value < 100 ? 1 : 0);
}

function row(name: string, ...cells: string[]): string {
  return `  ${name.padEnd(12)}${cells.map((cell) => cell.padStart(15)).join('')}`;
}
