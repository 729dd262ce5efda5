/**
 * Things by name, of one assignment of a partition each: of what came under an earlier assignment nothing is found again.
 * An assignment is known by its signal (`RecordContext.over`).
 */
export class AssignmentMap<T> {
  private readonly assignments = new WeakMap<AbortSignal, Map<string, T>>();

  get(over: AbortSignal, name: string): T | undefined {
    return this.assignments.get(over)?.get(name);
  }

  set(over: AbortSignal, name: string, value: T): void {
    const known = this.assignments.get(over);
    if (known) known.set(name, value);
    else this.assignments.set(over, new Map([[name, value]]));
  }

  delete(over: AbortSignal, name: string): void {
    this.assignments.get(over)?.delete(name);
  }
}
