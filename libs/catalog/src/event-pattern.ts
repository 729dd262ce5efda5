import { RESERVED_TYPE_PREFIX } from '@quittance/contracts';

/** Distinct event types remembered per namespace; beyond that, types are an attacker's or a publisher's mistake. */
const MAX_CACHED_TYPES = 2000;

/**
 * Which entries want an event type. A pattern is an exact type, `order.*` (everything below `order.`, at any depth)
 * or `*` (everything outside the reserved prefix).
 */
export class PatternIndex<T extends { readonly name: string }> {
  private readonly exact = new Map<string, Set<T>>();
  private readonly prefixes = new Map<string, Set<T>>();
  private readonly everything = new Set<T>();
  private readonly cache = new Map<string, readonly T[]>();
  private entries = 0;

  get size(): number {
    return this.entries;
  }

  add(entry: T, patterns: readonly string[]): void {
    this.entries++;
    this.cache.clear();
    for (const pattern of patterns) this.slot(pattern).add(entry);
  }

  remove(entry: T, patterns: readonly string[]): void {
    this.entries--;
    this.cache.clear();
    for (const pattern of patterns) {
      const slot = this.slot(pattern);
      slot.delete(entry);
      if (slot.size > 0 || slot === this.everything) continue;
      if (pattern.endsWith('.*')) this.prefixes.delete(pattern.slice(0, -1));
      else this.exact.delete(pattern);
    }
  }

  /** In order of name. The same array until a subscription changes. */
  find(type: string): readonly T[] {
    const cached = this.cache.get(type);
    if (cached !== undefined) return cached;
    const found = new Set<T>(this.exact.get(type));
    for (let dot = type.indexOf('.'); dot !== -1; dot = type.indexOf('.', dot + 1)) {
      // `order.*` wants something below the dot: the type `order.` itself has nothing there.
      if (dot + 1 === type.length) break;
      for (const entry of this.prefixes.get(type.slice(0, dot + 1)) ?? []) found.add(entry);
    }
    if (!type.startsWith(RESERVED_TYPE_PREFIX)) for (const entry of this.everything) found.add(entry);
    const sorted = [...found].sort((left, right) => (left.name < right.name ? -1 : 1));
    if (this.cache.size >= MAX_CACHED_TYPES) this.cache.clear();
    this.cache.set(type, sorted);
    return sorted;
  }

  private slot(pattern: string): Set<T> {
    if (pattern === '*') return this.everything;
    const isPrefix = pattern.endsWith('.*');
    const map = isPrefix ? this.prefixes : this.exact;
    const key = isPrefix ? pattern.slice(0, -1) : pattern;
    const slot = map.get(key) ?? new Set<T>();
    map.set(key, slot);
    return slot;
  }
}
