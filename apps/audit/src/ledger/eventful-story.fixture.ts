import {
  accepted,
  attemptFailed,
  delivered,
  duplicate,
  gaveUp,
  held,
  heldAfterAttempt,
  heldMatch,
  keyUsed,
  rejected,
  rejectedWithoutBody,
  routed,
  sample,
  T0,
  uidOf,
  unsendable,
  type Fact,
} from './story.fixture.js';

/** Everything that can happen to events, repetitions and coincidences included, in the order in which it did. */
export function eventfulStory(): Fact[] {
  const skipped = [
    {
      subscription: 'audit',
      subscriptionUid: uidOf('audit'),
      code: 'filter_false',
      reason: 'total \0 is too small',
    },
  ];
  return [
    accepted('a'),
    // The same identity, accepted in the same millisecond with another body, and later once more.
    accepted('a', { data: Buffer.from('{"total":1}') }),
    accepted('a', { acceptedAt: T0 + 5 }),
    routed('a', ['billing', 'stock', 'mail'], { skipped, skippedCount: 1 }),
    duplicate('a', 'trace-2', true),
    duplicate('a', 'trace-3', false),
    duplicate('a', 'trace-3', false),
    delivered('a', 'billing', 1, T0 + 8),
    attemptFailed('a', 'stock', 1, T0 + 8, T0 + 5_000),
    attemptFailed('a', 'stock', 2, T0 + 5_010, T0 + 35_000),
    gaveUp('a', 'stock', 3, T0 + 35_010),
    // Tried again by hand, and given up again.
    accepted('a', {
      acceptedAt: T0 + 60_000,
      replay: { subscription: 'stock', subscriptionUid: uidOf('stock') },
    }),
    routed('a', ['stock'], { at: T0 + 60_001, replay: true }),
    gaveUp('a', 'stock', 1, T0 + 60_020),
    unsendable('a', 'mail', T0 + 6),
    // Tried again by hand when the subscription was gone.
    routed('a', [], {
      at: T0 + 90_000,
      replay: true,
      skipped: [
        { subscription: 'mail', subscriptionUid: uidOf('mail'), code: 'deleted', reason: 'It is gone.' },
      ],
      skippedCount: 1,
    }),
    // The router was killed and read the event again, with a newer catalogue; two attempts end in one millisecond.
    accepted('b', { data: null }),
    routed('b', ['billing']),
    routed('b', ['billing', 'stock'], { at: T0 + 400, revision: 4 }),
    attemptFailed('b', 'billing', 1, T0 + 9, T0 + 5_000),
    gaveUp('b', 'billing', 2, T0 + 9),
    gaveUp('b', 'stock', 1, T0 + 500),
    gaveUp('b', 'stock', 2, T0 + 500),
    delivered('b', 'billing', 3, T0 + 20),
    delivered('b', 'billing', 3, T0 + 25),
    // Only its outcomes arrive.
    routed('c', ['billing']),
    delivered('c', 'billing', 1, T0 + 30),
    ...heldStory(),
    // A sample, whose identity an event bears in the same millisecond, and a sample for another later on.
    sample('g', 'billing'),
    accepted('g'),
    sample('g', 'stock', { acceptedAt: T0 + 5 }),
    // Refused, with everything that can be known and with next to nothing.
    rejected(1, {
      apiKey: 'checkout',
      userAgent: 'curl\0/8',
      contentType: 'application/json',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      errors: [{ path: 'data\0', message: 'must be an object' }],
      suppressed: 3,
    }),
    rejectedWithoutBody(2),
    // A key during its rotation, used here and there.
    keyUsed('old', T0 + 60_000),
    keyUsed('old', T0),
    keyUsed('new', T0 + 30_000),
    keyUsed('new', T0 + 30_000),
  ];
}

/** A subscription is suspended, probed, resumed and recovered. */
function heldStory(): Fact[] {
  const skipped = (code: string) => ({
    skipped: [{ subscription: 'slow', subscriptionUid: uidOf('slow'), code, reason: 'Not now.' }],
    skippedCount: 1,
  });
  return [
    accepted('d'),
    routed('d', ['slow']),
    attemptFailed('d', 'slow', 1, T0 + 9, T0 + 5_000),
    held('d', 'slow', T0 + 7_000),
    routed('d', ['slow'], { at: T0 + 300_000, replay: true }),
    heldAfterAttempt('d', 'slow', 1, T0 + 300_020),
    // Given up and held in one millisecond.
    gaveUp('d', 'slow', 2, T0 + 300_020),
    routed('d', ['slow'], { at: T0 + 600_000, replay: true }),
    heldAfterAttempt('d', 'slow', 1, T0 + 600_030),
    held('d', 'slow', T0 + 600_030, 'halted'),
    routed('e', [], { at: T0 + 10, matched: [heldMatch('e', 'slow', 'paused')] }),
    accepted('e'),
    routed('e', [], { at: T0 + 99_000, replay: true, matched: [heldMatch('e', 'slow', 'halted')] }),
    routed('e', ['slow'], { at: T0 + 199_000, replay: true }),
    delivered('e', 'slow', 1, T0 + 199_010),
    accepted('f'),
    routed('f', [], skipped('subscription_disabled')),
    routed('f', [], { at: T0 + 400_000, replay: true, filtered: true, ...skipped('filter_false') }),
    // The recovery met a subscription that was disabled once more.
    routed('f', [], {
      at: T0 + 450_000,
      replay: true,
      filtered: true,
      ...skipped('subscription_disabled'),
    }),
    held('f', 'other', T0 + 500_000),
    routed('f', [], {
      at: T0 + 600_000,
      replay: true,
      skipped: [
        {
          subscription: 'other',
          subscriptionUid: uidOf('other'),
          code: 'subscription_disabled',
          reason: 'No.',
        },
      ],
      skippedCount: 1,
    }),
  ];
}
