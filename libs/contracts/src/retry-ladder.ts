import { parseDuration } from './duration.js';

/** One delay for which a retry topic exists. */
export interface LadderStep {
  /** As it stands in the topic's name and in a subscription's schedule: `30s`. */
  name: string;
  delayMs: number;
}

/**
 * Reads a ladder from its configuration, such as `5s,30s,5m`.
 * @throws RangeError when a step is no duration, or the steps do not rise
 */
export function parseLadder(text: string): LadderStep[] {
  const steps = text.split(',').map((part) => {
    const name = part.trim();
    return { name, delayMs: parseDuration(name) };
  });
  for (const [index, step] of steps.entries()) {
    const previous = steps[index - 1];
    if (previous && previous.delayMs >= step.delayMs) {
      throw new RangeError(`The retry ladder must rise: "${step.name}" follows "${previous.name}".`);
    }
  }
  return steps;
}

/** Eight steps, 45 hours from first to last. */
export const DEFAULT_LADDER: readonly LadderStep[] = parseLadder('5s,30s,5m,30m,2h,6h,12h,24h');
