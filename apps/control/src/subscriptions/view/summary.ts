import { formatDuration, type SubscriptionMove } from '@quittance/contracts';
import { breakerStateOf, standingOf, type Standing, type SubscriptionFacts } from './standing.js';

/** How many units of a duration a person wants to read. */
const PARTS = 2;

/**
 * What is the matter with a subscription, in plain words: since when, why, what happens to its events meanwhile, and
 * what to do. Times are UTC.
 */
export function summaryOf(facts: SubscriptionFacts): string {
  const standing = standingOf(facts);
  const sentences = [wordsOf(standing, facts)];
  if (facts.resource.spec.paused && standing.reason !== 'paused') {
    sentences.push('It is paused besides: resuming it ends both.');
  }
  const { move, partition } = facts.resource.status;
  if (move) sentences.push(moving(move, partition));
  return sentences.join(' ');
}

/** To the minute: `2026-11-23 10:04 UTC`. */
export function utc(atMs: number): string {
  const [date, time] = new Date(atMs).toISOString().split('T');
  return `${date} ${time!.slice(0, 5)} UTC`;
}

function wordsOf(standing: Standing, facts: SubscriptionFacts): string {
  switch (standing.state) {
    case 'disabled':
      return disabled(standing, facts);
    case 'suspended':
      return suspended(standing, facts);
    case 'paused':
      return (
        `Paused${since(standing.since)}: nothing is sent to it. Its events wait and are sent once it is resumed; ` +
        `after ${holdOf(facts)} they are held in the ledger until then. To end this: ${resumeOf(facts)}.`
      );
    case 'active':
      return active(standing, facts);
  }
}

function disabled(standing: Standing, facts: SubscriptionFacts): string {
  const why =
    standing.reason === 'gone'
      ? 'it answered 410 Gone: it wants no more events'
      : `every attempt${failedFor(standing, facts)} failed${last(facts)}`;
  // What failed for days was dead-lettered meanwhile: it is missed as well.
  const missedFrom =
    (standing.reason === 'failing' ? facts.learnt?.failingSince : undefined) ?? standing.since;
  const from = new Date(missedFrom ?? facts.now).toISOString();
  return (
    `Disabled${since(standing.since)} because ${why}. Its events are recorded as skipped and are not kept for it. ` +
    `To end this: ${resumeOf(facts)}; to send it what it missed, after that: POST …/subscriptions/${nameOf(facts)}/replays ` +
    `(audit) with {"since": "${from}"}.`
  );
}

function suspended(standing: Standing, facts: SubscriptionFacts): string {
  const begun = `Suspended${since(standing.since)} because`;
  switch (standing.reason) {
    case 'unreachable': {
      // Nobody asks whether it is back while it must not be sent anything.
      const probed = facts.resource.spec.paused
        ? ''
        : '; one of them is tried every few minutes, and the others are sent once that succeeds';
      return (
        `${begun} no attempt succeeded${failedFor(standing, facts)}${last(facts)}. Its events are held in the ` +
        `ledger${probed}. To end this by hand: ${resumeOf(facts)}.`
      );
    }
    case 'halted': {
      const head = facts.learnt?.head?.deliveryId ?? facts.learnt?.lastError?.deliveryId;
      // What was held comes beside what is new.
      const kept = facts.learnt?.stopped
        ? 'are held in the ledger and are sent'
        : 'are kept and are sent in order';
      const skip = head === undefined ? '' : `, or the same with {"skip": "${head}"} to give it up`;
      return (
        `${begun} a delivery failed in its last attempt${last(facts)} and none may overtake it (\`ordering: strict\`). ` +
        `Its events ${kept} once somebody decides: ${resumeOf(facts)} to try the delivery again${skip}.`
      );
    }
    default:
      return (
        `${begun} it was paused for ${holdOf(facts)}. Its events are held in the ledger and are sent once it is resumed: ` +
        `${resumeOf(facts)}.`
      );
  }
}

function active(standing: Standing, facts: SubscriptionFacts): string {
  if (standing.reason === null) return 'Active: its events are sent as they come.';
  if (standing.reason === 'failing') {
    return (
      `Active, but every attempt since ${utc(standing.since ?? facts.now)} has failed${last(facts)}. Each delivery is tried ` +
      'again by its schedule. Nothing has to be done here: look at the subscriber.'
    );
  }
  const next =
    breakerStateOf(facts) === 'open'
      ? `the next attempt is made at ${new Date(facts.learnt!.breaker!.until).toISOString().slice(11, 19)} UTC`
      : 'the next attempt decides whether it is up again';
  return (
    `Active, but it has been down${since(standing.since)}${last(facts)}: ${next}. Its events wait and are sent when it ` +
    `is up again; after ${holdOf(facts)} without success it is suspended, and they are held in the ledger. ` +
    'Nothing has to be done here: look at the subscriber.'
  );
}

function moving({ from, startedAt }: SubscriptionMove, to: number): string {
  return `Its home is being moved from partition ${from} to ${to} since ${utc(startedAt)}.`;
}

function since(atMs: number | null): string {
  return atMs === null ? '' : ` since ${utc(atMs)}`;
}

/** How long it had failed when it was stopped. */
function failedFor({ since: stoppedAt }: Standing, { learnt }: SubscriptionFacts): string {
  const from = learnt?.failingSince ?? learnt?.lastSuccessAt;
  if (from === undefined || stoppedAt === null || stoppedAt - from < 1000) return '';
  return ` for ${formatDuration(stoppedAt - from, PARTS)}`;
}

/** The kind of the last error. Its message is the subscriber's, and stands in `lastError`. */
function last({ learnt }: SubscriptionFacts): string {
  const error = learnt?.lastError;
  if (!error) return '';
  return ` (last: ${error.status === null ? error.code.replaceAll('_', ' ') : `HTTP ${error.status}`})`;
}

function holdOf({ holdMs }: SubscriptionFacts): string {
  return formatDuration(holdMs);
}

function resumeOf(facts: SubscriptionFacts): string {
  return `POST …/subscriptions/${nameOf(facts)}/resume`;
}

function nameOf({ resource }: SubscriptionFacts): string {
  return resource.metadata.name;
}
