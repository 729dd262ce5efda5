import type { OutgoingRecord } from '@quittance/contracts';
import { PublishError, type Published } from '@quittance/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestAssignment } from '../routing/router.fixture.js';
import { StrictLane, type Refusal } from './strict-lane.js';

interface Call {
  readonly names: string[];
  acknowledge(): void;
  fail(code?: 'kafka_unavailable' | 'record_too_large'): void;
}

let calls: Call[];
let assignment: TestAssignment;
let lane: StrictLane;
let home: number;
let isHomeKnown: boolean;
let repeats: unknown[];
let isIdle: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  calls = [];
  repeats = [];
  home = 3;
  isHomeKnown = true;
  isIdle = true;
  assignment = new TestAssignment();
  lane = new StrictLane({
    publisher: { publishAll },
    context: assignment,
    homes: { areKnown: () => isHomeKnown, present: (record) => ({ ...record, partition: home }) },
    onIdle: () => (isIdle = true),
    onRepeat: (error) => repeats.push(error),
  });
});
afterEach(() => void vi.useRealTimers());

function publishAll(records: readonly OutgoingRecord[]): Promise<Published[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Published[]>();
  calls.push({
    names: records.map(({ key, partition }) => `${key}@${partition}`),
    acknowledge: () => resolve([]),
    fail: (code = 'kafka_unavailable') => reject(new PublishError(code, 'It did not work.')),
  });
  return promise;
}

type Result = Refusal | undefined | { code: string };
function submit(name: string, bytes = 1): Promise<Result> {
  isIdle = false;
  return lane
    .submit({ topic: 'deliveries.v1', key: name, value: Buffer.alloc(bytes), headers: {} })
    .catch((error: { code: string }) => ({ code: error.code }));
}
const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('a strict lane', () => {
  it('has one publish under way, and writes together what came meanwhile', async () => {
    const results = ['a', 'b', 'c'].map((name) => submit(name));
    expect(calls.map(({ names }) => names)).toEqual([['a@3']]);
    calls[0]!.acknowledge();
    await pass();
    expect(calls.map(({ names }) => names)).toEqual([['a@3'], ['b@3', 'c@3']]);
    calls[1]!.acknowledge();
    expect(await Promise.all(results)).toEqual([undefined, undefined, undefined]);
    await pass();
    expect(isIdle).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('makes no batch of more than a MiB, unless of one record', async () => {
    const results = [
      submit('a'),
      submit('b', 800_000),
      submit('c', 800_000),
      submit('d', 2_000_000),
      submit('e'),
    ];
    for (let index = 0; index < 5; index++) {
      calls[index]!.acknowledge();
      await pass();
    }
    await Promise.all(results);
    expect(calls.map(({ names }) => names)).toEqual([['a@3'], ['b@3'], ['c@3'], ['d@3'], ['e@3']]);
  });

  it('repeats what failed until it works: nothing passes it', async () => {
    const results = [submit('a'), submit('b')];
    for (let tries = 1; tries <= 10; tries++) {
      expect(calls).toHaveLength(tries);
      calls[tries - 1]!.fail();
      await pass(5000);
    }
    expect(new Set(calls.map(({ names }) => names.join()))).toEqual(new Set(['a@3']));
    expect(repeats).toHaveLength(1);
    calls[10]!.acknowledge();
    await pass();
    expect(calls[11]!.names).toEqual(['b@3']);
    calls[11]!.acknowledge();
    expect(await Promise.all(results)).toEqual([undefined, undefined]);
  });

  it('writes to the home that the subscription has by then, and to none that is not confirmed', async () => {
    const result = submit('a');
    calls[0]!.fail();
    isHomeKnown = false;
    await pass(60_000);
    expect(calls).toHaveLength(1);
    home = 7;
    isHomeKnown = true;
    await pass(5000);
    expect(calls[1]!.names).toEqual(['a@7']);
    calls[1]!.acknowledge();
    expect(await result).toBeUndefined();
  });

  it('leaves out a record that Kafka refuses, and only that one', async () => {
    const results = ['a', 'b', 'c', 'd'].map((name) => submit(name));
    calls[0]!.acknowledge();
    await pass();
    expect(calls[1]!.names).toEqual(['b@3', 'c@3', 'd@3']);
    calls[1]!.fail('record_too_large');
    for (const [index, code] of [undefined, 'record_too_large', undefined].entries()) {
      await pass();
      if (code) calls[index + 2]!.fail('record_too_large');
      else calls[index + 2]!.acknowledge();
    }
    expect(await Promise.all(results)).toEqual([
      undefined,
      undefined,
      { code: 'record_too_large', reason: 'It did not work.' },
      undefined,
    ]);
    expect(calls.map(({ names }) => names.join())).toEqual(['a@3', 'b@3,c@3,d@3', 'b@3', 'c@3', 'd@3']);
  });

  it('finishes what is under way when hand-over stops, as long as Kafka takes it', async () => {
    const results = [submit('a'), submit('b')];
    assignment.drain();
    calls[0]!.acknowledge();
    await pass();
    calls[1]!.acknowledge();
    expect(await Promise.all(results)).toEqual([undefined, undefined]);
    expect(await submit('c')).toMatchObject({ code: 'not_started' });
    expect(calls).toHaveLength(2);
  });

  it('gives everything back, and writes nothing more, when it fails after that', async () => {
    const results = [submit('a'), submit('b')];
    assignment.drain();
    calls[0]!.fail();
    expect(await Promise.all(results)).toMatchObject([{ code: 'not_started' }, { code: 'not_started' }]);
    expect(await submit('c')).toMatchObject({ code: 'not_started' });
    await pass(10_000);
    expect(calls).toHaveLength(1);
  });

  it('ends its pause at once when the assignment is over', async () => {
    const results = [submit('a'), submit('b')];
    for (let tries = 0; tries < 8; tries++) {
      calls[tries]!.fail();
      if (tries < 7) await pass(5000);
    }
    await pass();
    assignment.end();
    expect(vi.getTimerCount()).toBe(0);
    expect(await Promise.all(results)).toMatchObject([{ code: 'not_started' }, { code: 'not_started' }]);
    expect(calls).toHaveLength(8);
  });

  it('writes nothing that waits once the partition is somebody else’s', async () => {
    const results = [submit('a'), submit('b')];
    assignment.end();
    calls[0]!.acknowledge();
    expect(await Promise.all(results)).toMatchObject([undefined, { code: 'not_started' }]);
    expect(calls).toHaveLength(1);
  });
});
