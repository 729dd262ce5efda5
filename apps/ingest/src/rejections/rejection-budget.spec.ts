import { describe, expect, it } from 'vitest';
import { RejectionBudget } from './rejection-budget.js';

function budgetWithClock() {
  const clock = { now: 0 };
  return { clock, budget: new RejectionBudget(() => clock.now) };
}

function spend(budget: RejectionBudget, namespace: string, tries: number): number {
  let allowed = 0;
  for (let i = 0; i < tries; i++) if (budget.allows(namespace)) allowed++;
  return allowed;
}

describe('the budget of rejections', () => {
  it('allows a namespace 100 at once, and one a second after that', () => {
    const { clock, budget } = budgetWithClock();
    expect(spend(budget, 'shop', 200)).toBe(100);
    clock.now = 10_000;
    expect(spend(budget, 'shop', 200)).toBe(10);
  });

  it('leaves other namespaces theirs when one has used up its own', () => {
    const { budget } = budgetWithClock();
    spend(budget, 'noisy', 10_000);
    expect(budget.allows('quiet')).toBe(true);
  });

  it('allows all namespaces together 500 at once, and five a second after that', () => {
    const { clock, budget } = budgetWithClock();
    const inAll = () => {
      let allowed = 0;
      for (let i = 0; i < 100; i++) allowed += spend(budget, `namespace ${i}`, 100);
      return allowed;
    };
    expect(inAll()).toBe(500);
    clock.now = 10_000;
    expect(inAll()).toBe(50);
  });

  it('allows bodies of 8 MiB at once, and 32 KiB a second after that', () => {
    const { clock, budget } = budgetWithClock();
    const size = 64 * 1024;
    let kept = 0;
    while (budget.allowsBody(size)) kept += size;
    expect(kept).toBe(8 * 1024 * 1024);
    clock.now = 4000;
    kept = 0;
    while (budget.allowsBody(size)) kept += size;
    expect(kept).toBe(2 * size);
  });

  it('hands out what was left out once, by namespace', () => {
    const { budget } = budgetWithClock();
    budget.suppress('shop');
    budget.suppress('shop', 3);
    budget.suppress('other');
    expect(budget.takeSuppressed('shop')).toBe(4);
    expect(budget.takeSuppressed('shop')).toBe(0);
    expect(budget.takeSuppressed('other')).toBe(1);
  });
});
