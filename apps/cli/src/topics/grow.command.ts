import type { GrowInvocation } from '../command-line/parse.js';
import type { CliConfig } from '../config.js';
import { onCluster } from '../kafka/cluster.js';
import type { CliSurroundings } from '../surroundings.js';
import { describeGrowth, planGrowth } from './growth-plan.js';

/** Adds partitions, and returns when each of them has a leader. @throws CliError */
export async function growTopic(
  invocation: GrowInvocation,
  config: CliConfig,
  { print }: CliSurroundings,
): Promise<void> {
  const { kind, partitions } = invocation;
  await onCluster(config, async ({ sizesOf, grow, topics }) => {
    const due = planGrowth(invocation, await sizesOf(kind.topicsOf(topics)));
    if (due.length === 0) {
      print(`${kind.topicsOf(topics).join(', ')}: ${partitions} partitions already. There is nothing to do.`);
      return;
    }
    print(describeGrowth(due, partitions));
    if (kind.growth.when === 'never') return;
    print(kind.growth.effect);
    for (const { name } of due) await grow(name, partitions);
    print(`Done: every partition has a leader.\n${kind.growth.afterwards}`);
  });
}
