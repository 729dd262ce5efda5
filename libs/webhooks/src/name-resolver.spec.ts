import type { LookupAddress } from 'node:dns';
import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LookupFailedError } from './lookup-error.js';
import { NameResolver, type NameResolverOptions } from './name-resolver.js';

const FOREVER = 3_600_000;

/** One question to the resolver, answered when the test says so, or never. */
interface Question {
  name: string;
  answer(address: string): void;
  fail(): void;
}

let questions: Question[];
beforeEach(() => {
  questions = [];
});

function resolverWith(options: Partial<NameResolverOptions> = {}): NameResolver {
  return new NameResolver({
    maxLookups: 4,
    freshMs: FOREVER,
    staleMs: FOREVER,
    failedMs: 0,
    patienceMs: FOREVER,
    lostMs: FOREVER,
    lookup: (name) =>
      new Promise<LookupAddress[]>((resolve, reject) => {
        questions.push({
          name,
          answer: (address) => resolve([{ address, family: 4 }]),
          fail: () => reject(new Error('no such name')),
        });
      }),
    ...options,
  });
}

/** The question that is asked next. */
function asked(name: string): Promise<Question> {
  return vi.waitFor(() => {
    const index = questions.findIndex((question) => question.name === name);
    if (index === -1) throw new Error(`${name} is not asked`);
    return questions.splice(index, 1)[0]!;
  });
}

async function resolved(promise: Promise<LookupAddress[]>): Promise<string[]> {
  return (await promise).map(({ address }) => address);
}

/** After it, whatever could happen at once has happened. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** A name that has been resolved once. */
async function proven(resolver: NameResolver, name: string): Promise<void> {
  const answer = resolver.resolve(name);
  (await asked(name)).answer('203.0.113.1');
  await answer;
}

/** A name that could not be resolved once. */
async function failing(resolver: NameResolver, name: string): Promise<void> {
  const answer = resolver.resolve(name);
  (await asked(name)).fail();
  await expect(answer).rejects.toThrow(LookupFailedError);
}

function untilAfter(ms: number): Promise<void> {
  const started = performance.now();
  return vi.waitFor(() => expect(performance.now() - started).toBeGreaterThan(ms), { timeout: 4 * ms });
}

describe('an answer', () => {
  it('is asked for once by all who want it, and used again while it is fresh', async () => {
    const resolver = resolverWith();
    const both = [resolver.resolve('a.test'), resolver.resolve('a.test')];
    (await asked('a.test')).answer('203.0.113.1');
    expect(await Promise.all(both.map(resolved))).toEqual([['203.0.113.1'], ['203.0.113.1']]);
    expect(await resolved(resolver.resolve('a.test'))).toEqual(['203.0.113.1']);
    await settled();
    expect(questions).toEqual([]);
  });

  it('that is stale is used at once, while one look-up fetches the next', async () => {
    const resolver = resolverWith({ freshMs: 0 });
    await proven(resolver, 'a.test');
    for (let round = 0; round < 3; round++) {
      expect(await resolved(resolver.resolve('a.test'))).toEqual(['203.0.113.1']);
    }
    const refresh = await asked('a.test');
    expect(questions).toEqual([]);
    refresh.answer('203.0.113.2');
    await vi.waitFor(async () => expect(await resolved(resolver.resolve('a.test'))).toEqual(['203.0.113.2']));
  });

  it('outlives a refresh that fails, until it is too old', async () => {
    const resolver = resolverWith({ freshMs: 0, staleMs: 1000 });
    await proven(resolver, 'a.test');
    expect(await resolved(resolver.resolve('a.test'))).toEqual(['203.0.113.1']);
    (await asked('a.test')).fail();
    await settled();
    expect(await resolved(resolver.resolve('a.test'))).toEqual(['203.0.113.1']);
    (await asked('a.test')).fail();
    await untilAfter(1000);
    const waiting = resolver.resolve('a.test');
    (await asked('a.test')).answer('203.0.113.3');
    expect(await resolved(waiting)).toEqual(['203.0.113.3']);
  });
});

describe('a failure', () => {
  it('is remembered: the name is left alone for a while', async () => {
    const resolver = resolverWith({ failedMs: FOREVER });
    await failing(resolver, 'a.test');
    await expect(resolver.resolve('a.test')).rejects.toThrow('no such name');
    await settled();
    expect(questions).toEqual([]);
  });

  it('is forgotten with the next answer', async () => {
    const resolver = resolverWith();
    await failing(resolver, 'a.test');
    await proven(resolver, 'a.test');
    expect(await resolved(resolver.resolve('a.test'))).toEqual(['203.0.113.1']);
  });

  it('is what a name without any address gives', async () => {
    const resolver = resolverWith({ lookup: () => Promise.resolve([]) });
    await expect(resolver.resolve('a.test')).rejects.toThrow(LookupFailedError);
  });

  it('is a look-up that nobody answers, and the name is not asked again meanwhile', async () => {
    const resolver = resolverWith({ patienceMs: 20 });
    await expect(resolver.resolve('dead.test')).rejects.toThrow('No answer within 20 ms');
    await asked('dead.test');
    await expect(resolver.resolve('dead.test')).rejects.toThrow('No answer within 20 ms');
    await settled();
    expect(questions).toEqual([]);
  });

  it('that was only a late answer is none for those who ask after it', async () => {
    const resolver = resolverWith({ patienceMs: 20 });
    await expect(resolver.resolve('slow.test')).rejects.toThrow(LookupFailedError);
    (await asked('slow.test')).answer('203.0.113.1');
    await settled();
    expect(await resolved(resolver.resolve('slow.test'))).toEqual(['203.0.113.1']);
  });
});

describe('names whose name servers are silent', () => {
  it('leave a place to names that were resolved before, however many they are', async () => {
    const resolver = resolverWith({ maxLookups: 2, freshMs: 0, staleMs: 0 });
    await proven(resolver, 'good.test');
    const dead = ['dead1.test', 'dead2.test', 'dead3.test', 'dead4.test'];
    for (const name of dead) void resolver.resolve(name);
    await asked('dead1.test');
    await settled();
    expect(questions).toEqual([]);
    for (const address of ['203.0.113.7', '203.0.113.8']) {
      const good = resolver.resolve('good.test');
      (await asked('good.test')).answer(address);
      expect(await resolved(good)).toEqual([address]);
    }
  });

  it('leave half of the places to new names once they have failed', async () => {
    const resolver = resolverWith({ maxLookups: 4 });
    const dead = ['dead1.test', 'dead2.test', 'dead3.test'];
    for (const name of dead) await failing(resolver, name);
    for (const name of dead) void resolver.resolve(name);
    await asked('dead1.test');
    await asked('dead2.test');
    await settled();
    expect(questions).toEqual([]);
    await proven(resolver, 'new.test');
  });

  it('keep their place for as long as the look-up may hold its thread, and not for ever', async () => {
    const begun: string[] = [];
    const resolver = resolverWith({
      maxLookups: 1,
      patienceMs: 10,
      lostMs: 150,
      lookup: (name) => {
        begun.push(name);
        if (name === 'dead.test') return new Promise(() => {});
        return Promise.resolve([{ address: '203.0.113.1', family: 4 }]);
      },
    });
    await expect(resolver.resolve('dead.test')).rejects.toThrow(LookupFailedError);
    const next = resolver.resolve('good.test');
    await settled();
    expect(begun).toEqual(['dead.test']);
    expect(await resolved(next)).toEqual(['203.0.113.1']);
    await expect(resolver.resolve('dead.test')).rejects.toThrow(LookupFailedError);
    expect(begun).toEqual(['dead.test', 'good.test', 'dead.test']);
  });

  it('are refused beyond what can wait', async () => {
    const resolver = resolverWith({ maxLookups: 1 });
    const waiting = Array.from({ length: 4097 }, (_, index) => resolver.resolve(`${index}.test`));
    await expect(resolver.resolve('one-more.test')).rejects.toThrow('Too many');
    for (const one of waiting) one.catch(() => {});
  });
});

describe('the system resolver', () => {
  const before = process.env['UV_THREADPOOL_SIZE'];
  afterEach(() => {
    if (before === undefined) delete process.env['UV_THREADPOOL_SIZE'];
    else process.env['UV_THREADPOOL_SIZE'] = before;
  });

  it('is asked by default', async () => {
    expect(await resolved(new NameResolver().resolve('localhost'))).toContain('127.0.0.1');
  });

  it.each([
    ['4', 2],
    ['16', 8],
    ['none', 2],
  ])('is asked as often at a time as %s threads can: %i', async (threads, places) => {
    process.env['UV_THREADPOOL_SIZE'] = threads;
    const begun: string[] = [];
    let isSilent = false;
    const resolver = new NameResolver({
      freshMs: 0,
      staleMs: 0,
      lookup: (name) => {
        begun.push(name);
        if (isSilent) return new Promise(() => {});
        return Promise.resolve([{ address: '203.0.113.1', family: 4 }]);
      },
    });
    const names = Array.from({ length: 20 }, (_, index) => `${index}.test`);
    for (const name of names) await resolver.resolve(name);
    isSilent = true;
    begun.length = 0;
    for (const name of names) void resolver.resolve(name);
    await settled();
    expect(begun).toHaveLength(places);
  });
});
