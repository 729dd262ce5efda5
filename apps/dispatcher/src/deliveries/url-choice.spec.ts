import { describe, expect, it } from 'vitest';
import { subscriptionWith } from '../guards/guard.fixture.js';
import { UrlChoice } from './url-choice.js';

describe('UrlChoice', () => {
  const { resource } = subscriptionWith();
  const at = (seconds: number): number => 1_000_000 + seconds * 1000;

  it('starts with the first URL', () => {
    expect(new UrlChoice().start(resource, at(0))).toBe(0);
  });

  it('starts with the fallback that answered for 30 seconds, each subscription by itself', () => {
    const choice = new UrlChoice();
    choice.answered(resource, 0, 2, at(0));
    expect([choice.start(resource, at(0)), choice.start(resource, at(29))]).toEqual([2, 2]);
    expect(choice.start(subscriptionWith().resource, at(1))).toBe(0);
    expect(choice.start(resource, at(30))).toBe(0);
  });

  it('is not prolonged by answers of the fallback', () => {
    const choice = new UrlChoice();
    choice.answered(resource, 0, 1, at(0));
    choice.answered(resource, 1, 1, at(20));
    expect(choice.start(resource, at(31))).toBe(0);
  });

  it('lets one attempt find out whether the first URL is back, while the others go on with the fallback', () => {
    const choice = new UrlChoice();
    choice.answered(resource, 0, 1, at(0));
    expect([30, 31, 31, 59].map((second) => choice.start(resource, at(second)))).toEqual([0, 1, 1, 1]);
    choice.answered(resource, 0, 0, at(59));
    expect([59, 60].map((second) => choice.start(resource, at(second)))).toEqual([0, 0]);
  });

  it('takes what answers instead of a fallback that has gone down', () => {
    const choice = new UrlChoice();
    choice.answered(resource, 0, 1, at(0));
    choice.answered(resource, 1, 2, at(10));
    expect(choice.start(resource, at(39))).toBe(2);
    choice.answered(resource, 2, 0, at(39));
    expect(choice.start(resource, at(39))).toBe(0);
  });
});
