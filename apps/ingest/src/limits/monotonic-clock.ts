/** Injects a clock that never goes back, `() => number`, in milliseconds. */
export const MONOTONIC_CLOCK = Symbol('MONOTONIC_CLOCK');
