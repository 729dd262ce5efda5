declare module 'kafkajs/src/network/requestQueue/index.js' {
  /** The queue of requests of one connection. */
  export default class RequestQueue {
    readonly pending: unknown[];
    scheduleCheckPendingRequests(): void;
  }
}
