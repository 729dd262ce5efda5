export interface WaitOptions {
  /** Completes "waited for": `the delivery to arrive`. */
  what: string;
  /** Default 30 s. */
  timeoutMs?: number;
  /** Between two looks. Default 20 ms. */
  everyMs?: number;
}

/**
 * Looks again and again until the condition gives something truthy, and returns that. A condition that throws counts
 * as not met; its last error is the cause of the time-out's.
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions,
): Promise<Exclude<T, false | 0 | '' | null | undefined>> {
  const { what, timeoutMs = 30_000, everyMs = 20 } = options;
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | 0 | '' | null | undefined>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
