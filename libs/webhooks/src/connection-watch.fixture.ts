import { createHook } from 'node:async_hooks';

/** What Node.js itself keeps of a TCP connection that it asks the system for. */
interface ConnectRequest {
  address?: string;
  port?: number;
}

/** Sees every TCP connection that this process tries to open, whoever does it. */
export interface ConnectionWatch {
  /** As `<address> <port>`, in order. */
  attempts(): string[];
  clear(): void;
  stop(): void;
}

export function watchConnections(): ConnectionWatch {
  const requests: ConnectRequest[] = [];
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      // Its address is filled in just after this.
      if (type === 'TCPCONNECTWRAP') requests.push(resource);
    },
  }).enable();
  return {
    attempts: () => requests.map(({ address, port }) => `${address} ${port}`),
    clear: () => {
      requests.length = 0;
    },
    stop: () => hook.disable(),
  };
}
