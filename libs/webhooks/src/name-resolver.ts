import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import { performance } from 'node:perf_hooks';
import { LookupFailedError } from './lookup-error.js';
import { LookupSlots, type Standing } from './lookup-slots.js';
import { RecencyMap } from './recency-map.js';

/** Resolves a name to all of its addresses; rejects when it has none. */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>;

export interface NameResolverOptions {
  /** By default the system's resolver: it knows the hosts file and the search domains. */
  lookup: Lookup;
  /** Look-ups that the process can make at a time. By default half of libuv's threads: it grants them no more. */
  maxLookups: number;
  /** For how long an answer is used without asking again. Default 10 s. */
  freshMs: number;
  /** For how long an answer is used while, or although, the name is asked again. Default 5 min. */
  staleMs: number;
  /** For how long a name that failed is not asked again: doubles with each failure in a row. Default 1 s. */
  failedMs: number;
  /** How long anybody waits for a look-up that has begun. Default 10 s. */
  patienceMs: number;
  /** After which a look-up that never returned is taken for lost. Default 60 s. */
  lostMs: number;
}

/** What is known of one name. */
interface Name {
  addresses?: LookupAddress[];
  resolvedAt: number;
  standing: Standing;
  /** In a row. */
  failures: number;
  failedAt: number;
  failure?: LookupFailedError;
  /** The look-up that is under way, or waits for its turn. */
  asking?: Promise<LookupAddress[]>;
  /** It has begun, and nobody waits for it any longer. */
  overdue: boolean;
}

const MAX_NAMES = 8192;
const MAX_FAILED_MS = 5000;
const DEFAULT_THREADS = 4;

/**
 * Resolves names with a memory, so that one whose name server is silent costs the others nothing. The system's
 * resolver blocks a thread of libuv until it answers, and libuv grants look-ups half of its few threads: without this,
 * two dead names would stop everybody's look-ups.
 *
 * Addresses are to be checked each time they are used, remembered or not.
 */
export class NameResolver {
  private readonly options: NameResolverOptions;
  private readonly names = new RecencyMap<Name>(MAX_NAMES, ({ asking, overdue }) => !asking && !overdue);
  private readonly slots: LookupSlots;

  constructor(options: Partial<NameResolverOptions> = {}) {
    this.options = {
      lookup: (hostname) => systemLookup(hostname, { all: true }),
      maxLookups: systemLookups(),
      freshMs: 10_000,
      staleMs: 300_000,
      failedMs: 1000,
      patienceMs: 10_000,
      lostMs: 60_000,
      ...options,
    };
    this.slots = new LookupSlots(this.options.maxLookups);
  }

  /** @throws LookupFailedError */
  async resolve(hostname: string): Promise<LookupAddress[]> {
    const name = this.nameOf(hostname);
    const now = performance.now();
    const age = now - name.resolvedAt;
    if (name.addresses && age < this.options.freshMs) return name.addresses;
    const mayAsk = !name.overdue && now - name.failedAt >= this.restMs(name);
    if (name.addresses && age < this.options.staleMs) {
      // Its outcome concerns those who ask later.
      if (mayAsk) this.ask(hostname, name).catch(() => {});
      return name.addresses;
    }
    if (name.failure && !mayAsk) throw name.failure;
    return this.ask(hostname, name);
  }

  private nameOf(hostname: string): Name {
    let name = this.names.get(hostname);
    if (!name) {
      const never = -Infinity;
      name = { resolvedAt: never, standing: 'unknown', failures: 0, failedAt: never, overdue: false };
      this.names.set(hostname, name);
    }
    return name;
  }

  /** How long a name is left alone after its last failure. */
  private restMs({ failures }: Name): number {
    return failures === 0 ? 0 : Math.min(this.options.failedMs * 2 ** (failures - 1), MAX_FAILED_MS);
  }

  /** One look-up per name at a time, whoever asks. */
  private ask(hostname: string, name: Name): Promise<LookupAddress[]> {
    name.asking ??= this.slots
      .enter(name.standing)
      .then((leave) => this.lookUp(hostname, name, leave))
      .finally(() => delete name.asking);
    return name.asking;
  }

  private lookUp(hostname: string, name: Name, leave: () => void): Promise<LookupAddress[]> {
    const { lookup, patienceMs, lostMs } = this.options;
    return new Promise((resolve, reject) => {
      let over = false;
      const fail = (message: string, cause?: unknown): void => {
        name.standing = 'failing';
        name.failures++;
        name.failedAt = performance.now();
        name.failure = new LookupFailedError(message, { cause });
        reject(name.failure);
      };
      const finish = (): boolean => {
        if (over) return false;
        over = true;
        name.overdue = false;
        clearTimeout(impatient);
        clearTimeout(lost);
        leave();
        return true;
      };
      const impatient = setTimeout(() => {
        name.overdue = true;
        fail(`No answer within ${patienceMs} ms`);
      }, patienceMs).unref();
      // The system's resolver holds its thread for as long as it takes, so the place is kept: were it given away
      // sooner, the next look-up would wait in libuv's own queue, where a dead name stands before a healthy one. But
      // one that never returns must not keep its place for ever.
      const lost = setTimeout(finish, lostMs).unref();
      lookup(hostname).then(
        (addresses) => {
          if (!finish()) return;
          if (addresses.length === 0) return fail('The name has no address');
          name.addresses = addresses;
          name.resolvedAt = performance.now();
          name.standing = 'proven';
          name.failures = 0;
          name.failedAt = -Infinity;
          delete name.failure;
          resolve(addresses);
        },
        (error: unknown) => {
          if (finish()) fail(error instanceof Error ? error.message : String(error), error);
        },
      );
    });
  }
}

/** libuv lets look-ups have half of its threads, rounded up. */
function systemLookups(): number {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? DEFAULT_THREADS);
  return Number.isInteger(threads) && threads > 0 ? Math.ceil(threads / 2) : DEFAULT_THREADS / 2;
}
