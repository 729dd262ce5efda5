declare module 'kafkajs/src/network/requestQueue/index.js' {
  /** The queue of requests of one connection. */
  export default class RequestQueue {
    readonly pending: unknown[];
    scheduleCheckPendingRequests(): void;
  }
}

declare module 'kafkajs/src/protocol/recordBatch/crc32C/index.js' {
  /** CRC-32C, unsigned. */
  export default function crc32c(bytes: Uint8Array): number;
}
