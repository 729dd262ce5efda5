import { once } from 'node:events';
import { createServer } from 'node:http';
import type { SinkReply, SinkRequest } from './messages.ts';
import { serveParent } from './worker.ts';

/** Takes in what the services export over OTLP/HTTP, so that exporting costs them what it costs, and drops it. */
let requests = 0;
let bytes = 0;

const server = createServer((request, response) => {
  requests++;
  request.on('data', (chunk: Buffer) => (bytes += chunk.length));
  // An empty protobuf message: everything was taken.
  request.on('end', () =>
    response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': '0' }).end(),
  );
});
server.keepAliveTimeout = 0;

serveParent<SinkRequest, SinkReply>(async (request) => {
  if (request.type === 'count') return { type: 'counted', requests, bytes };
  server.listen(0, request.host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port.');
  return { type: 'listening', origin: `http://${request.host}:${address.port}` };
});
