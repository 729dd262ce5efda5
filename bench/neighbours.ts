import { ratiosOf } from './neighbour-figures.ts';
import { runNeighbours, type NeighbourPlan, type NeighbourRun, type Watch } from './neighbour-run.ts';
import type { BenchOptions, NeighbourScenario } from './options.ts';
import type { Bench } from './scenario.ts';
import { medianOf, type Distribution } from './statistics.ts';
import type { Target } from './target.ts';

/** One run in which everybody answers, and one in which some never do. */
export interface NeighbourRound {
  without: NeighbourRun;
  with: NeighbourRun;
}

export interface NeighboursReport {
  scenario: NeighbourScenario;
  plan: NeighbourPlan;
  /** p99 with the dead ones, divided by p99 without them, round by round. */
  ratios: { each: number[]; median: number };
  rounds: NeighbourRound[];
}

/** What the dead may cost the others: p99 at most so many times what it is without them. */
const BOUND = 1.3;

export function neighbourPlan(scenario: NeighbourScenario, options: BenchOptions): NeighbourPlan {
  const isExclusive = scenario === 'neighbours';
  return {
    endpoints: options.endpoints,
    dead: options.dead,
    rate: options.rate ?? (isExclusive ? 100 : 10),
    warmUpSeconds: options.warmUpSeconds,
    seconds: options.durationSeconds ?? 60,
    isExclusive,
  };
}

/** With and without take turns, and which comes first alternates: what slows the machine slows both. */
export async function measureNeighbours(
  scenario: NeighbourScenario,
  bench: Bench & { target: Target },
  watch: Watch,
): Promise<NeighboursReport> {
  const { options, say } = bench;
  const plan = neighbourPlan(scenario, options);
  const rounds: NeighbourRound[] = [];
  for (let round = 1; round <= options.runs; round++) {
    const run = async (isDead: boolean): Promise<NeighbourRun> => {
      const who = isDead ? `${plan.dead} of ${plan.endpoints} never answer` : `all ${plan.endpoints} answer`;
      const total = plan.warmUpSeconds + plan.seconds;
      say(`Round ${round} of ${options.runs}, ${who}: ${plan.rate} events/s for ${total} s …`);
      const result = await runNeighbours(bench, watch, plan, isDead);
      const { latencyMs, worstP99Ms } = result.figures;
      const verdict = result.objections.length > 0 ? `: VOID: ${result.objections.join('; ')}` : '';
      say(
        `  p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms, ` +
          `worst subscriber's p99 ${worstP99Ms.toFixed(1)} ms${verdict}`,
      );
      return result;
    };
    if (round % 2 === 1) rounds.push({ without: await run(false), with: await run(true) });
    else {
      const dead = await run(true);
      rounds.push({ without: await run(false), with: dead });
    }
  }
  const figures = rounds.map((round) => ({ without: round.without.figures, with: round.with.figures }));
  return { scenario, plan, ratios: ratiosOf(figures), rounds };
}

export function neighbourVoidReasons({ scenario, rounds }: NeighboursReport): string[] {
  return rounds.flatMap((round, index) =>
    [...round.without.objections, ...round.with.objections].map(
      (why) => `${scenario}, round ${index + 1}: ${why}`,
    ),
  );
}

export function renderNeighbours({ scenario, plan, ratios, rounds }: NeighboursReport): string {
  const without = medianOf(rounds.map((round) => round.without));
  const dead = medianOf(rounds.map((round) => round.with));
  const healthy = plan.endpoints - plan.dead;
  const verdict = ratios.median <= BOUND ? `within ${BOUND}` : `ABOVE ${BOUND}`;
  return [
    '',
    `== ${scenario}: ${plan.rate} events/s to ${plan.endpoints} subscribers, of which ${plan.dead} never answer ==`,
    '',
    row('scheduled → arrival, ms', 'p50', 'p95', 'p99', 'max', 'worst p99'),
    latency(`${healthy} while all answer`, without.figures.latencyMs, without.figures.worstP99Ms),
    latency(`${healthy} beside the dead`, dead.figures.latencyMs, dead.figures.worstP99Ms),
    ...(dead.sharing > 0
      ? [
          latency(`  ${without.sharing} that share, all answer`, without.figures.sharingMs),
          latency(`  ${dead.sharing} that share, beside the dead`, dead.figures.sharingMs),
        ]
      : []),
    latency('scheduled → 202, beside the dead', dead.acceptanceMs),
    latency('scheduled → socket, beside the dead', dead.generatorDelayMs),
    '',
    `  p99 beside the dead ÷ p99 while all answer: ${ratios.median.toFixed(2)} (${verdict}); ` +
      `rounds: ${ratios.each.map((ratio) => ratio.toFixed(2)).join(', ')}`,
    '',
    ...rounds.flatMap((round, index) => [
      ledger(`round ${index + 1}, all answer`, round.without),
      ledger(`round ${index + 1}, ${plan.dead} dead`, round.with),
    ]),
  ].join('\n');
}

function ledger(name: string, { ledger: run, deadStates, unanswered, objections }: NeighbourRun): string {
  const { accepted, owed, deliveredOnce, duplicated, lost } = run;
  const dead = Object.entries(deadStates).map(([state, count]) => `${count} ${state}`);
  return (
    `${name}: ${accepted} accepted; ${owed} owed = ${deliveredOnce} delivered once + ${duplicated} duplicated + ${lost} lost` +
    (dead.length > 0 ? `; to the dead: ${dead.join(', ')}, ${unanswered} requests` : '') +
    (objections.length > 0 ? `\n  VOID: ${objections.join('; ')}` : '')
  );
}

function latency(name: string, { p50, p95, p99, max }: Distribution, worst?: number): string {
  const cells = [p50, p95, p99, max, ...(worst === undefined ? [] : [worst])];
  return row(name, ...cells.map((value) => (Number.isNaN(value) ? '–' : value.toFixed(value < 100 ? 1 : 0))));
}

function row(name: string, ...cells: string[]): string {
  return `  ${name.padEnd(38)}${cells.map((cell) => cell.padStart(11)).join('')}`;
}
