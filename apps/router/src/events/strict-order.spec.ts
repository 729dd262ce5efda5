import { decodeDelivery, type OutgoingRecord } from '@quittance/contracts';
import { PublishError, type Published } from '@quittance/kafka';
import { Metrics } from '@quittance/service';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdentityWindow } from '../duplicates/identity-window.js';
import { StrictLanes } from '../ordering/strict-lanes.js';
import { Turnstile } from '../ordering/turnstile.js';
import { Homes } from '../routing/homes.js';
import type { RoutePlan } from '../routing/route-plan.js';
import { RoutePlanner } from '../routing/route-planner.js';
import {
  eventOf,
  incoming,
  recordOf,
  span,
  TestAssignment,
  TestCatalogue,
  TestStates,
  topics,
} from '../routing/router.fixture.js';
import { CatalogueGate } from './catalogue-gate.js';
import { EventRouter } from './event-router.js';
import { RouterMetrics } from './router-metrics.js';

/** Says how bad things get, one number below 100 after the other; after a while all is well. */
class Dice {
  private thrown = 0;

  constructor(private readonly numbers: readonly number[]) {}

  throw(): number {
    const number = this.thrown < 600 ? this.numbers[this.thrown % this.numbers.length]! : 0;
    this.thrown++;
    return number;
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Writes records of one call in their order, and sometimes none, or only the first, or all without saying so. */
class UnreliableKafka {
  /** The ids of the events whose deliveries to the strict subscription were written. */
  readonly log: string[] = [];

  constructor(private readonly dice: Dice) {}

  async publishAll(records: readonly OutgoingRecord[]): Promise<Published[]> {
    const fate = this.dice.throw();
    await sleep(this.dice.throw());
    const reached = fate < 60 || fate >= 90 ? records.length : fate < 75 ? 0 : records.length >> 1;
    for (const record of records.slice(0, reached)) {
      if (record.topic !== topics.deliveries) continue;
      const delivery = decodeDelivery(incoming(record, 0));
      if (delivery.subscription === 'strict') this.log.push(delivery.eventId);
    }
    if (fate >= 60) throw new PublishError('kafka_unavailable', 'It did not work.');
    return [];
  }
}

/** Plans, unless there is no memory left for it. */
class ShortOfMemory extends RoutePlanner {
  dice: Dice | undefined;

  override plan(...input: Parameters<RoutePlanner['plan']>): RoutePlan {
    if (this.dice && this.dice.throw() >= 90) throw new RangeError('Array buffer allocation failed');
    return super.plan(...input);
  }
}

/** A router that reads one partition of `events.v1` as a member of its group does, under one assignment after the other. */
class Reading {
  private readonly finished = new Set<number>();
  private router: EventRouter;

  constructor(
    private readonly ids: readonly string[],
    private readonly dice: Dice,
    private readonly config: TestCatalogue,
    private readonly learnt: TestStates,
    private readonly kafka: UnreliableKafka,
  ) {
    this.router = this.start();
  }

  async untilFinished(): Promise<void> {
    while (this.finished.size < this.ids.length) {
      const assignment = new TestAssignment();
      const records = this.handOver(assignment);
      if (this.dice.throw() >= 70) await sleep(this.dice.throw());
      else await records;
      assignment.drain();
      if (this.dice.throw() >= 50) await sleep(this.dice.throw());
      assignment.end();
      if (this.dice.throw() >= 50) this.router = this.start();
    }
  }

  private async handOver(assignment: TestAssignment): Promise<void> {
    const handlers: Promise<void>[] = [];
    for (const [offset, id] of this.ids.entries()) {
      if (assignment.over.aborted) break;
      if (this.finished.has(offset)) continue;
      const event = eventOf({ attributes: { ...eventOf().attributes, id } });
      handlers.push(this.handle(recordOf(event, offset), event, assignment));
      const mood = this.dice.throw();
      if (mood >= 95) this.loseTrackOfConfiguration();
      else if (mood >= 70) await sleep(this.dice.throw() >> 2);
    }
    await Promise.all(handlers);
  }

  private loseTrackOfConfiguration(): void {
    this.config.confirmedAt = -1e9;
    setTimeout(() => (this.config.confirmedAt = Infinity), this.dice.throw() * 3);
  }

  private async handle(
    record: ReturnType<typeof recordOf>,
    event: ReturnType<typeof eventOf>,
    assignment: TestAssignment,
  ): Promise<void> {
    while (!assignment.over.aborted) {
      try {
        await this.router.route({ record, event, span }, assignment);
        if (assignment.isCurrent()) this.finished.add(Number(record.offset));
        return;
      } catch {
        if (!assignment.over.aborted) await sleep(100);
      }
    }
  }

  private start(): EventRouter {
    const { catalogue } = this.config;
    const { states } = this.learnt;
    const homes = new Homes(catalogue, topics);
    const planner = new ShortOfMemory(catalogue, states, topics);
    planner.dice = this.dice;
    return new EventRouter(
      new CatalogueGate(catalogue, states),
      new Turnstile(),
      planner,
      new IdentityWindow(),
      new StrictLanes(this.kafka, homes, { warn: () => undefined }),
      homes,
      this.kafka,
      topics,
      new RouterMetrics(new Metrics('router')),
    );
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the deliveries of a strict subscription', () => {
  it('first appear in the order of their events, and none is missing, whatever fails', async () => {
    const number = fc.nat(99);
    const chances = fc.array(number, { minLength: 50, maxLength: 400 });
    // Some events come twice: the second must neither be passed over nor pass.
    const ids = fc.array(fc.nat(40), { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(ids, chances, async (names, numbers) => {
        const config = await TestCatalogue.open();
        config.subscribe('mail');
        config.subscribe('strict', { delivery: { ordering: 'strict' } }, 5);
        const dice = new Dice(numbers);
        const kafka = new UnreliableKafka(dice);
        const all = names.map((name) => `e${name}`);
        const reading = new Reading(all, dice, config, await TestStates.open(), kafka);
        let isFinished = false;
        const finishing = reading.untilFinished().finally(() => (isFinished = true));
        while (!isFinished) await vi.advanceTimersByTimeAsync(50);
        await finishing;
        expect([...new Set(kafka.log)]).toEqual([...new Set(all)]);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
