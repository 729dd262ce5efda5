import { expect, it } from 'vitest';
import { activated } from './activation.js';

it('is new with each resumption, which gives up nothing unless it says so', () => {
  const status = { state: 'active', partition: 3, activation: 4, pausedAt: 7 } as const;
  expect(activated({ ...status, skip: 'dlv_1' })).toEqual({ ...status, activation: 5 });
});
