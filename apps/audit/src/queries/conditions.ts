/** A WHERE clause as it grows, with its parameters in step. */
export class Conditions {
  readonly parameters: unknown[] = [];
  private readonly terms: string[] = [];

  /** @param term SQL; each `?` stands for the next of `values` */
  add(term: string, ...values: unknown[]): this {
    let next = 0;
    this.terms.push(
      term.replaceAll('?', () => {
        this.parameters.push(values[next++]);
        return `$${this.parameters.length}`;
      }),
    );
    return this;
  }

  get sql(): string {
    return this.terms.join(' AND ');
  }
}
