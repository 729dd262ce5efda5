import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/**
 * kafkajs 2.2.4 sets a timer with a negative delay, which Node takes for 1 ms, after every check of a
 * connection's queue, also when nothing is pending and nothing throttled: each connection then wakes up its
 * process up to a thousand times a second for ever (an idle ingest was busy for 1,739 ms of its first 20 s, and for
 * 1,284 ms without, and a `TimeoutNegativeWarning`). A check is only ever needed while requests are pending, and
 * every request that has to wait schedules one.
 */
export function patchIdleTimer(): void {
  const { prototype } = RequestQueue;
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleIfPending(): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
