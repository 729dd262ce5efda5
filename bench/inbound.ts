import { createInboundPlace } from './api.ts';
import { BenchError } from './errors.ts';
import { SCHEMES, sourceOf, type Scheme } from './inbound-requests.ts';
import type { SenderReply, SenderRequest } from './messages.ts';
import { ProcessMeter } from './processes.ts';
import { median } from './statistics.ts';
import type { Target } from './target.ts';
import type { Worker } from './worker.ts';

export interface InboundOptions {
  rounds: number;
  /** Of each measured load. */
  seconds: number;
  connections: number;
  bodyBytes: number;
}

/** Medians over the rounds, of the same requests sent to a source that verifies them and to one that does not. */
export interface SchemeFigures {
  scheme: Scheme;
  with: Sample;
  without: Sample;
  /**
   * How much less ingest could take in than without verification, by its own processor time: it works on one core, so
   * that is what bounds it. Paired within each round. 0.1 = 10 %.
   */
  cost: number;
}

export interface InboundReport {
  options: InboundOptions;
  schemes: SchemeFigures[];
}

interface Sample {
  acceptedPerSecond: number;
  /** Of ingest alone, per 1,000 requests. */
  cpuMsPer1000: number;
}

/**
 * What verifying a webhook costs ingest. With and without take turns, so that what slows the machine slows both.
 * @throws BenchError `api_refused` when ingest answers anything but 202
 */
export async function measureInbound(
  target: Target,
  sender: Worker<SenderRequest, SenderReply>,
  options: InboundOptions,
  say: (text: string) => void,
): Promise<InboundReport> {
  const sources = Object.fromEntries(
    (['none', ...SCHEMES] as const).map((scheme) => [scheme, sourceOf(scheme)]),
  );
  const place = await createInboundPlace(target, sources);
  const pairs = new Map<Scheme, { with: Sample; without: Sample }[]>(SCHEMES.map((scheme) => [scheme, []]));
  try {
    // The first round compiles the code, and is thrown away.
    for (let round = 0; round <= options.rounds; round++) {
      for (const scheme of SCHEMES) {
        const to = (source: string): Promise<Sample> =>
          load(target, sender, scheme, `/in/${place.namespace}/${source}`, options);
        let pair: { with: Sample; without: Sample };
        if (round % 2 === 0) pair = { without: await to('none'), with: await to(scheme) };
        else pair = { with: await to(scheme), without: await to('none') };
        if (round > 0) pairs.get(scheme)!.push(pair);
        const cpu = (sample: Sample): string => sample.cpuMsPer1000.toFixed(0);
        say(
          `${round === 0 ? 'Warm-up' : `Round ${round}`}, ${scheme}: ingest ${cpu(pair.with)} CPU-ms/1000, ` +
            `${cpu(pair.without)} without verification`,
        );
      }
    }
  } finally {
    await place.remove();
  }
  return {
    options,
    schemes: SCHEMES.map((scheme) => {
      const own = pairs.get(scheme)!;
      return {
        scheme,
        with: medians(own.map((pair) => pair.with)),
        without: medians(own.map((pair) => pair.without)),
        cost: median(own.map((pair) => 1 - pair.without.cpuMsPer1000 / pair.with.cpuMsPer1000)),
      };
    }),
  };
}

function medians(samples: Sample[]): Sample {
  return {
    acceptedPerSecond: median(samples.map((sample) => sample.acceptedPerSecond)),
    cpuMsPer1000: median(samples.map((sample) => sample.cpuMsPer1000)),
  };
}

async function load(
  target: Target,
  sender: Worker<SenderRequest, SenderReply>,
  scheme: Scheme,
  path: string,
  { bodyBytes, connections, seconds }: InboundOptions,
): Promise<Sample> {
  await sender.ask({ type: 'prepare', scheme, bodyBytes }, 'prepared');
  const meter = await ProcessMeter.start(target.processes.filter(({ name }) => name === 'ingest'));
  const ran = await sender.ask({ type: 'run', origin: target.ingestUrl, path, connections, seconds }, 'ran');
  const [ingest] = meter.stop();
  const accepted = ran.answers[202] ?? 0;
  const others = Object.entries(ran.answers).filter(([status]) => status !== '202');
  if (others.length > 0 || !ingest) {
    const list = others.map(([status, count]) => `${count} × ${status}`).join(', ');
    throw new BenchError('api_refused', `Ingest refused requests of the source "${scheme}": ${list}.`);
  }
  return {
    acceptedPerSecond: (accepted / ran.tookMs) * 1000,
    cpuMsPer1000: (ingest.cpuMs / accepted) * 1000,
  };
}

export function renderInbound({ options, schemes }: InboundReport): string {
  const { bodyBytes, connections, rounds, seconds } = options;
  return [
    '',
    `== inbound: webhooks of ${bodyBytes} B over ${connections} connections, median of ${rounds} rounds of ${seconds} s ==`,
    '',
    `  ${'verification'.padEnd(22)}${'accepted/s'.padStart(12)}${'without'.padStart(12)}` +
      `${'CPU-ms/1000'.padStart(14)}${'without'.padStart(12)}${'costs'.padStart(10)}`,
    ...schemes.map((figures) => {
      const number = (value: number, width: number): string => value.toFixed(0).padStart(width);
      return (
        `  ${figures.scheme.padEnd(22)}${number(figures.with.acceptedPerSecond, 12)}` +
        `${number(figures.without.acceptedPerSecond, 12)}${number(figures.with.cpuMsPer1000, 14)}` +
        `${number(figures.without.cpuMsPer1000, 12)}${`${(figures.cost * 100).toFixed(1)} %`.padStart(10)}`
      );
    }),
  ].join('\n');
}
