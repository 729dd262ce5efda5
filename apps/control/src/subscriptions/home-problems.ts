import { Problem } from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';

/** A subscription is created, and every partition is taken. */
export function noHomeLeft(partitions: number, isStrict: boolean): Problem {
  const why = isStrict
    ? `Each of the ${partitions} partitions is the home of a subscription already, and strict order needs one of its own.`
    : `Each of the ${partitions} partitions belongs to a subscription with strict order, which shares it with nobody, or is being left by one that moves.`;
  return new Problem('partition_shared', `${why} ${grow(partitions)}, then repeat this request.`);
}

/** Nothing is free to move to. */
export function nowhereToMove(partitions: number): Problem {
  return new Problem(
    'partition_shared',
    `None of the ${partitions} partitions is free. ${grow(partitions)}, then repeat this request.`,
  );
}

/** A subscription with strict order is to move to where others are. */
export function targetIsShared(target: number, partitions: number): Problem {
  return new Problem(
    'partition_shared',
    `Partition ${target} is used by another subscription, and strict order needs one of its own. Leave "partition" out for one that is free; if none is: ${grow(partitions)}, then repeat this request.`,
  );
}

/** Strict order is asked of a subscription whose home others use. */
export function homeIsShared(
  { namespace, name }: ResourceRow,
  partition: number,
  { others, hasFree, partitions }: { others: number; hasFree: boolean; partitions: number | undefined },
): Problem {
  const shared = `Its home, partition ${partition}, is used by ${count(others)} too, and strict order needs one of its own.`;
  const move = `with POST /control/v1/namespaces/${namespace}/subscriptions/${name}/move`;
  const how = hasFree ? `Move it ${move}` : `${grow(partitions)}, then move it ${move}`;
  return new Problem(
    'partition_shared',
    `${shared} ${how}, and repeat this request once "status.move" is gone.`,
  );
}

/** Strict order is asked of a subscription that is moving away from a home that others use. */
export function oldHomeIsShared(from: number): Problem {
  return new Problem(
    'partition_shared',
    `It is still moving away from partition ${from}, which others use too. Repeat this request once "status.move" is gone.`,
  );
}

export function notMovable(detail: string): Problem {
  return new Problem('not_movable', detail);
}

export function noSuchPartition(target: number, partitions: number): Problem {
  const message = `There is no partition ${target}: there are ${partitions}, numbered from 0.`;
  return new Problem('invalid_resource', message, { errors: [{ path: '/partition', message }] });
}

/** Homes cannot be given out while nobody knows how many there are. */
export function partitionsUnknown(): Problem {
  return new Problem(
    'kafka_unavailable',
    'Kafka has to be reached once before a subscription can be given its home, to learn the number of partitions. Try again.',
    {},
    { 'retry-after': '5' },
  );
}

function grow(partitions: number | undefined): string {
  const wanted = partitions === undefined ? '<n>' : `${partitions + 1}`;
  return `Add partitions with "quittance topics grow deliveries --partitions ${wanted}" (or more)`;
}

function count(others: number): string {
  return others === 1 ? 'another subscription' : `${others} other subscriptions`;
}
