import { describe, expect, it } from 'vitest';
import { summaryOf } from './summary.js';
import { at, factsOf, NOW, refused, unavailable, type Known } from './view.fixture.js';

const suspended = (code: 'paused' | 'unreachable' | 'halted') => ({
  kind: 'suspended' as const,
  at: at('10:04:00'),
  code,
  reason: 'as the dispatcher says it',
});
const disabled = (code: 'gone' | 'failing') => ({ ...suspended('paused'), kind: 'disabled' as const, code });

const TABLE: [string, Known, string][] = [
  ['nothing is the matter', {}, 'Active: its events are sent as they come.'],
  [
    'it fails, and is tried all the same',
    { learnt: { failingSince: at('11:30:00'), lastError: unavailable } },
    'Active, but every attempt since 2026-11-23 11:30 UTC has failed (last: HTTP 503). Each delivery is tried again by ' +
      'its schedule. Nothing has to be done here: look at the subscriber.',
  ],
  [
    'its breaker is open',
    {
      learnt: {
        lastError: refused,
        breaker: { since: at('11:50:00'), until: at('12:02:30'), openings: 7 },
      },
    },
    'Active, but it has been down since 2026-11-23 11:50 UTC (last: connection refused): the next attempt is made at ' +
      '12:02:30 UTC. Its events wait and are sent when it is up again; after 3d without success it is suspended, and they are ' +
      'held in the ledger. Nothing has to be done here: look at the subscriber.',
  ],
  [
    'its breaker is half-open',
    {
      holdMs: 3_600_000,
      learnt: { lastError: refused, breaker: { since: at('11:50:00'), until: NOW, openings: 7 } },
    },
    'Active, but it has been down since 2026-11-23 11:50 UTC (last: connection refused): the next attempt decides ' +
      'whether it is up again. Its events wait and are sent when it is up again; after 1h without success it is suspended, ' +
      'and they are held in the ledger. Nothing has to be done here: look at the subscriber.',
  ],
  [
    'it is paused',
    { spec: { paused: true }, holdMs: 5_400_000, status: { pausedAt: at('11:00:00') } },
    'Paused since 2026-11-23 11:00 UTC: nothing is sent to it. Its events wait and are sent once it is resumed; after ' +
      '1h 30m they are held in the ledger until then. To end this: POST …/subscriptions/billing/resume.',
  ],
  [
    'it is paused, and nobody knows since when',
    { spec: { paused: true } },
    'Paused: nothing is sent to it. Its events wait and are sent once it is resumed; after 3d they are held in the ' +
      'ledger until then. To end this: POST …/subscriptions/billing/resume.',
  ],
  [
    'it was paused for too long',
    { spec: { paused: true }, holdMs: 3_600_000, learnt: { stopped: suspended('paused') } },
    'Suspended since 2026-11-23 10:04 UTC because it was paused for 1h. Its events are held in the ledger and are sent ' +
      'once it is resumed: POST …/subscriptions/billing/resume.',
  ],
  [
    'no attempt succeeded for too long',
    {
      learnt: { stopped: suspended('unreachable'), failingSince: at('09:04:00'), lastError: refused },
    },
    'Suspended since 2026-11-23 10:04 UTC because no attempt succeeded for 1h (last: connection refused). Its events ' +
      'are held in the ledger; one of them is tried every few minutes, and the others are sent once that succeeds. To ' +
      'end this by hand: POST …/subscriptions/billing/resume.',
  ],
  [
    'no attempt succeeded for too long, and was paused then',
    { spec: { paused: true }, learnt: { stopped: suspended('unreachable') } },
    'Suspended since 2026-11-23 10:04 UTC because no attempt succeeded. Its events are held in the ledger. To end this ' +
      'by hand: POST …/subscriptions/billing/resume. It is paused besides: resuming it ends both.',
  ],
  [
    'it halted at a delivery',
    {
      spec: { delivery: { ordering: 'strict' } },
      learnt: { stopped: suspended('halted'), lastError: unavailable },
    },
    'Suspended since 2026-11-23 10:04 UTC because a delivery failed in its last attempt (last: HTTP 503) and none may ' +
      'overtake it (`ordering: strict`). Its events are held in the ledger and are sent once somebody decides: POST ' +
      '…/subscriptions/billing/resume to try the delivery again, or the same with {"skip": "dlv_1"} to give it up.',
  ],
  [
    'it halted at a delivery a moment ago',
    {
      learnt: {
        head: { deliveryId: 'dlv_2', attempt: 9, dueAt: NOW, haltedAt: at('11:59:00') },
        lastError: { ...refused, deliveryId: 'dlv_2' },
      },
    },
    'Suspended since 2026-11-23 11:59 UTC because a delivery failed in its last attempt (last: connection refused) and ' +
      'none may overtake it (`ordering: strict`). Its events are kept and are sent in order once somebody decides: POST ' +
      '…/subscriptions/billing/resume to try the delivery again, or the same with {"skip": "dlv_2"} to give it up.',
  ],
  [
    'it answered 410',
    { learnt: { stopped: disabled('gone') } },
    'Disabled since 2026-11-23 10:04 UTC because it answered 410 Gone: it wants no more events. Its events are recorded ' +
      'as skipped and are not kept for it. To end this: POST …/subscriptions/billing/resume; to send it what it missed, ' +
      'after that: POST …/subscriptions/billing/replays (audit) with {"since": "2026-11-23T10:04:00.000Z"}.',
  ],
  [
    'it has only failed for five days',
    {
      learnt: {
        stopped: disabled('failing'),
        failingSince: at('2026-11-18T10:04:00Z'),
        lastError: refused,
      },
    },
    'Disabled since 2026-11-23 10:04 UTC because every attempt for 5d failed (last: connection refused). Its events are ' +
      'recorded as skipped and are not kept for it. To end this: POST …/subscriptions/billing/resume; to send it what it ' +
      'missed, after that: POST …/subscriptions/billing/replays (audit) with {"since": "2026-11-18T10:04:00.000Z"}.',
  ],
  [
    'it is being moved',
    { status: { move: { id: 'm', from: 1, startedAt: at('11:59:00') } } },
    'Active: its events are sent as they come. Its home is being moved from partition 1 to 3 since 2026-11-23 11:59 UTC.',
  ],
];

describe('The summary of a subscription says in plain words when', () => {
  it.each(TABLE)('%s', (_case, known, words) => {
    expect(summaryOf(factsOf(known))).toBe(words);
  });

  it('something is the matter, but never what the subscriber wrote', () => {
    const lastError = { ...refused, message: '<b>' };
    for (const [, known] of TABLE) {
      const words = summaryOf(factsOf({ ...known, learnt: { ...known.learnt, lastError } }));
      expect(words).not.toContain('<b>');
    }
  });
});
