import { describe, expect, it } from 'vitest';
import { CliError, type CliErrorCode } from '../errors.js';
import { planGrowth, type TopicSize } from './growth-plan.js';
import { TOPIC_KINDS } from './topic-kinds.js';

function plan(
  name: string,
  sizes: Record<string, number>,
  partitions: number,
  confirmed = false,
): TopicSize[] {
  const kind = TOPIC_KINDS.find((each) => each.name === name)!;
  return planGrowth(
    { command: 'topics grow', kind, partitions, confirmed },
    Object.entries(sizes).map(([topic, count]) => ({ name: topic, partitions: count })),
  );
}

function refusal(code: CliErrorCode, attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof CliError && error.code === code) return error.message;
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('a plan to grow a topic', () => {
  it('names what has to be grown', () => {
    expect(plan('deliveries', { 'q.deliveries.v1': 8 }, 12)).toEqual([
      { name: 'q.deliveries.v1', partitions: 8 },
    ]);
  });

  it('is empty when the topic has as many already', () => {
    expect(plan('deliveries', { 'q.deliveries.v1': 12 }, 12)).toEqual([]);
    expect(plan('events', { 'q.events.v1': 12 }, 12)).toEqual([]);
  });

  it('is refused when the topic has more', () => {
    const why = refusal('refused', () => plan('deliveries', { 'q.deliveries.v1': 16 }, 12, true));
    expect(why).toBe('q.deliveries.v1 has 16 partitions: Kafka cannot take any away. Ask for more than 16.');
  });

  it('goes on with what an interrupted one has left of several topics', () => {
    expect(plan('retry', { 'q.5s': 8, 'q.30s': 4, 'q.5m': 4 }, 8).map(({ name }) => name)).toEqual([
      'q.30s',
      'q.5m',
    ]);
  });

  it('wants a confirmation where order is at stake, after saying what will happen', () => {
    const why = refusal('not_confirmed', () => plan('events', { 'q.events.v1': 4 }, 8));
    expect(why).toMatch('Nothing was changed. q.events.v1: from 4 to 8 partitions.');
    expect(why).toMatch(/overtake earlier ones with the same partition key[^]*--yes/);
    expect(plan('events', { 'q.events.v1': 4 }, 8, true)).toHaveLength(1);
    refusal('not_confirmed', () => plan('outcomes', { 'q.outcomes.v1': 4 }, 8));
    expect(plan('outcomes', { 'q.outcomes.v1': 4 }, 8, true)).toHaveLength(1);
  });

  it('is never made for topics that must have one partition, confirmed or not', () => {
    for (const name of ['config', 'subscription-state']) {
      expect(refusal('refused', () => plan(name, { topic: 1 }, 2, true))).toMatch('cannot be grown');
    }
  });

  it('is refused when the topic is missing', () => {
    expect(refusal('topic_missing', () => plan('deliveries', { 'x.deliveries.v1': 0 }, 12))).toMatch(
      /There is no topic x\.deliveries\.v1\. Run the set-up/,
    );
  });
});
