import type { Topics } from '@quittance/contracts';

/** What growing a topic means for the installation. */
export type Growth =
  /** At any time. */
  | { when: 'anytime'; effect: string; afterwards: string }
  /** Something changes that has to be wanted. */
  | { when: 'confirmed'; effect: string; afterwards: string }
  | { when: 'never'; reason: string };

/** One topic, or several of one kind, under the name that a person types. */
export interface TopicKind {
  name: string;
  purpose: string;
  topicsOf: (topics: Topics) => string[];
  /** The consumer groups that read it, without the prefix. */
  readers: readonly string[];
  growth: Growth;
}

const SHARED_ANEW =
  'The readers notice within a few seconds and share the partitions anew; until then the new ones wait. A partition ' +
  'that goes to another reader pauses until what is under way there has ended.';

export const TOPIC_KINDS: readonly TopicKind[] = [
  {
    name: 'deliveries',
    purpose: 'what is to be sent; each subscription has one partition as its home',
    topicsOf: (topics) => [topics.deliveries],
    readers: ['dispatcher'],
    growth: {
      when: 'anytime',
      effect: `Every subscription keeps its home. ${SHARED_ANEW}`,
      afterwards:
        'New subscriptions are given the new partitions, one each, while they last. To give one to a subscription that ' +
        'shares its partition, or is to be strictly ordered, move its home there:\n' +
        '  POST /control/v1/namespaces/<namespace>/subscriptions/<name>/move',
    },
  },
  {
    name: 'retry',
    purpose: 'deliveries that wait for their next attempt; one topic per step of the ladder',
    topicsOf: (topics) => topics.ladder.map((step) => topics.deliveriesRetry(step.name)),
    readers: ['dispatcher-retries'],
    growth: {
      when: 'anytime',
      effect: SHARED_ANEW,
      afterwards: 'More dispatchers can now share the retries.',
    },
  },
  {
    name: 'dlq',
    purpose: 'deliveries that were given up, and records that could not be read',
    topicsOf: (topics) => [topics.deliveriesDlq],
    readers: [],
    growth: {
      when: 'anytime',
      effect: 'The services only write to it.',
      afterwards: 'New dead letters use the new partitions, too.',
    },
  },
  {
    name: 'events',
    purpose: 'events as they were accepted',
    topicsOf: (topics) => [topics.events],
    readers: ['router', 'audit'],
    growth: {
      when: 'confirmed',
      effect:
        'Namespaces and partition keys move to other partitions at that moment. Events published afterwards can overtake ' +
        'earlier ones with the same partition key, once; strictly ordered subscriptions see that, too. An event that is ' +
        'published again across that moment may be delivered twice, because another router takes it.\n' +
        'Where order matters, stop publishing until the lag of the router is 0, grow, and go on a minute later.\n' +
        SHARED_ANEW,
      afterwards: 'More routers and auditors can now share the events. Let outcomes have as many partitions.',
    },
  },
  {
    name: 'outcomes',
    purpose: 'what became of events and deliveries, for the ledger',
    topicsOf: (topics) => [topics.outcomes],
    readers: ['audit'],
    growth: {
      when: 'confirmed',
      effect:
        'Outcomes of one event lie on two partitions for a while. The ledger comes out the same, whatever their order. ' +
        'Other readers of this topic that rely on the order of the outcomes of one event do not find it across that moment.\n' +
        SHARED_ANEW,
      afterwards: 'More auditors can now share the outcomes.',
    },
  },
  {
    name: 'config',
    purpose: 'the configuration; every service reads all of it',
    topicsOf: (topics) => [topics.config],
    readers: [],
    growth: {
      when: 'never',
      reason:
        'Its one order is what revisions count, and every service reads its only partition. It must have one.',
    },
  },
  {
    name: 'subscription-state',
    purpose: 'what dispatchers have learnt of subscribers; every service reads all of it',
    topicsOf: (topics) => [topics.subscriptionState],
    readers: [],
    growth: { when: 'never', reason: 'Every service reads its only partition. It must have one.' },
  },
];

export function findTopicKind(name: string): TopicKind | undefined {
  return TOPIC_KINDS.find((kind) => kind.name === name);
}
