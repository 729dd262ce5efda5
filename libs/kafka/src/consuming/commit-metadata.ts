/** Offsets finished above the committed one, as half-open runs in rising order. */
export type FinishedRuns = readonly (readonly [from: bigint, to: bigint])[];

/** Kafka's `offset.metadata.max.bytes` is 4,096 by default. */
const MAX_LENGTH = 4000;
const VERSION = 'q1:';
/** The shortest run takes four characters: no more of them fit. */
export const MOST_RUNS = MAX_LENGTH / 4;

/**
 * Writes finished runs for the metadata of a commit: pairs of gap and length in base 36, each relative to
 * the end of the run before. Runs that do not fit are left out, the farthest first: they are repeated after
 * a crash, which is allowed.
 * @returns the text, and how many offsets it says are finished
 */
export function encodeRuns(commitOffset: bigint, runs: FinishedRuns): { metadata: string; recorded: number } {
  let text = VERSION;
  let cursor = commitOffset;
  let recorded = 0;
  for (const [from, to] of runs) {
    const part = `${Number(from - cursor).toString(36)}.${Number(to - from).toString(36)} `;
    if (text.length + part.length > MAX_LENGTH) break;
    text += part;
    cursor = to;
    recorded += Number(to - from);
  }
  return { metadata: recorded === 0 ? '' : text.trimEnd(), recorded };
}

/** Seven digits in base 36, 78 billion: no run is as long. */
const RUN = /^([0-9a-z]{1,7})\.([0-9a-z]{1,7})$/;

/**
 * The runs of a commit's metadata, up to `reach` offsets above it. Metadata of another make, or damaged, has none: records
 * are repeated then.
 */
export function decodeRuns(
  commitOffset: bigint,
  metadata: string | null | undefined,
  reach: number,
): FinishedRuns {
  if (!metadata?.startsWith(VERSION)) return [];
  const runs: [bigint, bigint][] = [];
  const end = commitOffset + BigInt(reach);
  let cursor = commitOffset;
  for (const part of metadata.slice(VERSION.length).split(' ')) {
    const match = RUN.exec(part);
    if (!match) return [];
    const from = cursor + BigInt(Number.parseInt(match[1]!, 36));
    const to = from + BigInt(Number.parseInt(match[2]!, 36));
    if (from >= end) break;
    runs.push([from, to < end ? to : end]);
    cursor = to;
  }
  return runs;
}
