import { ResourceRow } from '@quittance/persistence';
import { describe, expect, it } from 'vitest';
import { pauseTimed } from './pause-time.js';
import { resourceOf, type Known } from './view/view.fixture.js';

function rowOf(known: Known, updatedAt: number): ResourceRow {
  const { spec, status, secrets } = resourceOf(known);
  return Object.assign(new ResourceRow(), { spec, status, secrets, updatedAt: new Date(updatedAt) });
}

describe('The time of a pause', () => {
  it('is when it began', () => {
    expect(pauseTimed(rowOf({}, 1), rowOf({ spec: { paused: true } }, 2)).pausedAt).toBe(2);
    expect(pauseTimed(null, rowOf({ spec: { paused: true } }, 2)).pausedAt).toBe(2);
  });

  it('is kept while the pause lasts, whatever else is changed', () => {
    const before = rowOf({ spec: { paused: true }, status: { pausedAt: 2 } }, 2);
    const after = rowOf({ spec: { paused: true, description: 'x' }, status: { pausedAt: 2 } }, 3);
    expect(pauseTimed(before, after).pausedAt).toBe(2);
  });

  it('goes with the pause', () => {
    const before = rowOf({ spec: { paused: true }, status: { pausedAt: 2 } }, 2);
    const after = rowOf({ status: { pausedAt: 2, activation: 2 } }, 3);
    expect(pauseTimed(before, after)).toEqual({ state: 'active', partition: 3, activation: 2 });
  });
});
