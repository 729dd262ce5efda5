import { monotonicMs } from './clock.ts';
import type { Watch } from './neighbour-run.ts';

/** How many records all retry topics had ever got, at one moment. */
export interface RetrySample {
  /** Milliseconds of the monotonic clock. */
  at: number;
  written: number;
}

/** Records written to retry topics, per second. */
export interface RetryRates {
  /** Of the second with the most. */
  max: number;
  average: number;
  /** Second by second. */
  each: number[];
}

const EVERY_MS = 1_000;

/** Asks every second, until it is stopped. */
export class RetryMeter {
  private readonly watch: Watch;
  private readonly samples: RetrySample[] = [];
  private readonly timer: NodeJS.Timeout;
  private asking: Promise<void> | undefined;
  private failure: unknown;

  constructor(watch: Watch) {
    this.watch = watch;
    this.timer = setInterval(() => void this.sample(), EVERY_MS).unref();
  }

  /** What was written between two moments. @throws what the last question failed with */
  between(from: number, to: number): RetryRates {
    if (this.failure !== undefined) throw this.failure;
    return ratesOf(this.samples.filter(({ at }) => at >= from && at <= to));
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.asking;
  }

  /** One question at a time: on a busy machine an answer takes longer than a second. */
  private sample(): Promise<void> {
    this.asking ??= this.watch.ask({ type: 'retries' }, 'retries').then(
      ({ written }) => {
        this.samples.push({ at: monotonicMs(), written });
        this.asking = undefined;
      },
      (error: unknown) => {
        this.failure = error;
        this.asking = undefined;
      },
    );
    return this.asking;
  }
}

/** All are NaN with fewer than two samples. */
export function ratesOf(samples: readonly RetrySample[]): RetryRates {
  const each = samples.slice(1).map((sample, index) => {
    const before = samples[index] ?? sample;
    return ((sample.written - before.written) * 1000) / (sample.at - before.at);
  });
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || each.length === 0) return { max: Number.NaN, average: Number.NaN, each };
  return {
    max: each.reduce((most, rate) => Math.max(most, rate), 0),
    average: ((last.written - first.written) * 1000) / (last.at - first.at),
    each,
  };
}
