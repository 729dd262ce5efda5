import { CliError } from '../errors.js';
import type { GrowInvocation } from '../command-line/parse.js';

export interface TopicSize {
  /** The topic's full name. */
  name: string;
  partitions: number;
}

/** @returns the topics that have to be grown; none when there is nothing to do
 *  @throws CliError `topic_missing`, `refused`, `not_confirmed` */
export function planGrowth(
  { kind, partitions, confirmed }: GrowInvocation,
  sizes: readonly TopicSize[],
): TopicSize[] {
  const missing = sizes.filter((size) => size.partitions === 0);
  if (missing.length > 0) {
    throw new CliError(
      'topic_missing',
      `There is no topic ${missing.map(({ name }) => name).join(', ')}. Run the set-up, which creates it, or correct ` +
        'QUITTANCE_KAFKA_BROKERS, QUITTANCE_TOPIC_PREFIX and QUITTANCE_RETRY_LADDER.',
    );
  }
  const { growth } = kind;
  if (growth.when === 'never') {
    throw new CliError('refused', `The topic ${kind.name} cannot be grown. ${growth.reason}`);
  }
  const larger = sizes.filter((size) => size.partitions > partitions);
  if (larger.length > 0) {
    throw new CliError(
      'refused',
      `${larger.map((size) => `${size.name} has ${size.partitions} partitions`).join(', ')}: Kafka cannot take any away. ` +
        `Ask for more than ${Math.max(...larger.map((size) => size.partitions))}.`,
    );
  }
  const due = sizes.filter((size) => size.partitions < partitions);
  if (due.length > 0 && growth.when === 'confirmed' && !confirmed) {
    throw new CliError(
      'not_confirmed',
      `Nothing was changed. ${describeGrowth(due, partitions)}\n${growth.effect}\nIf this is wanted, repeat the command with --yes.`,
    );
  }
  return due;
}

/** `quittance.deliveries.v1: from 64 to 96 partitions.` */
export function describeGrowth(due: readonly TopicSize[], partitions: number): string {
  return `${due.map((size) => `${size.name}: from ${size.partitions} to ${partitions} partitions.`).join('\n')}`;
}
