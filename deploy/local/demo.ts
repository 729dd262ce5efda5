import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { LocalStackError } from './errors.ts';

export interface DemoOptions {
  controlUrl: string;
  ingestUrl: string;
  adminKey: string;
  host: string;
  /** Of the receiver; 0 = any free one. */
  port: number;
  say: (line: string) => void;
  /** Between two events, in milliseconds. Default 1,000. */
  everyMs?: number;
}

export interface DemoHandle {
  /** Where the receiver listens. */
  url: string;
  stop(): Promise<void>;
}

const NAMESPACE = 'demo';
const TYPE = 'demo.tick';
const SUBSCRIPTION = 'demo';
const KEY = 'demo';
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Subscribes a receiver of its own to `demo.tick`, publishes one a second, and says each arrival.
 * @throws LocalStackError `demo_failed` when control refuses
 */
export async function startDemo(options: DemoOptions): Promise<DemoHandle> {
  const { host, say } = options;
  // Until the secret is known, an arrival is left over from an earlier run: it is asked to come again.
  let verifier: Webhook | undefined;
  const receiver = createServer((request, response) => void receive(request, response, verifier, say));
  receiver.listen(options.port, host);
  await once(receiver, 'listening');
  const address = receiver.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port.');
  const url = `http://${host}:${address.port}/`;

  const close = async (): Promise<void> => {
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  };
  try {
    const { secret, key } = await subscribe(options, url);
    verifier = new Webhook(secret);
    const stopPublishing = publishRegularly(options, key);
    return {
      url,
      stop: async () => {
        await stopPublishing();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function subscribe(options: DemoOptions, url: string): Promise<{ secret: string; key: string }> {
  await control(options, 'PUT', `event-types/${TYPE}`, {
    spec: {
      description: 'One a second, as long as the demo runs.',
      versions: [
        {
          version: '1',
          schema: {
            type: 'object',
            required: ['count'],
            properties: { count: { type: 'integer', minimum: 1 } },
          },
        },
      ],
    },
  });
  await control(options, 'PUT', `subscriptions/${SUBSCRIPTION}`, {
    spec: { events: [TYPE], destination: { webhook: { url } } },
  });
  const { secret } = await control(options, 'GET', `subscriptions/${SUBSCRIPTION}/secret`);
  // A key is shown when it is made, and never again: the one of an earlier demo is of no use.
  await control(options, 'DELETE', `api-keys/${KEY}`);
  const { key } = await control(options, 'PUT', `api-keys/${KEY}`, { spec: { scopes: ['publish'] } });
  if (typeof secret !== 'string' || typeof key !== 'string') {
    throw new LocalStackError('demo_failed', 'Control answered without a signing secret or a key.');
  }
  return { secret, key };
}

async function control(
  options: DemoOptions,
  method: 'GET' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${options.controlUrl}/control/v1/namespaces/${NAMESPACE}/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${options.adminKey}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const text = await response.text();
  if (method === 'DELETE' && (response.ok || response.status === 404)) return {};
  if (!response.ok) {
    throw new LocalStackError(
      'demo_failed',
      `Control answered ${method} ${path} with ${response.status}: ${text}`,
    );
  }
  return JSON.parse(text) as Record<string, unknown>;
}

/** @returns stops it, and waits for the request under way */
function publishRegularly(options: DemoOptions, key: string): () => Promise<void> {
  let count = 0;
  let underWay: Promise<void> = Promise.resolve();
  const publish = async (): Promise<void> => {
    count++;
    try {
      const response = await fetch(`${options.ingestUrl}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ type: TYPE, data: { count, sentAt: Date.now() } }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const answer = await response.text();
      if (!response.ok) options.say(`#${count} was not accepted: ${response.status} ${answer}`);
    } catch (error) {
      options.say(
        `#${count} could not be published: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const timer = setInterval(() => {
    underWay = underWay.then(publish);
  }, options.everyMs ?? 1_000);
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  verifier: Webhook | undefined,
  say: (line: string) => void,
): Promise<void> {
  const arrivedAt = Date.now();
  const body = await readBody(request).catch(() => undefined);
  if (!body || !verifier) {
    response.writeHead(body ? 503 : 413).end();
    return;
  }
  try {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([k, v]) => [k, String(v)]));
    const { data } = verifier.verify(body, headers) as { data?: { count?: number; sentAt?: number } };
    const trace = /^00-([0-9a-f]{32})/.exec(headers['traceparent'] ?? '')?.[1];
    const age = data?.sentAt === undefined ? '' : ` after ${arrivedAt - data.sentAt} ms`;
    say(`${TYPE} #${data?.count} arrived${age}, signature valid${trace ? `, trace ${trace}` : ''}`);
    response.writeHead(204).end();
  } catch (error) {
    say(
      `A request arrived whose signature is not valid: ${error instanceof Error ? error.message : String(error)}`,
    );
    response.writeHead(401).end();
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new RangeError('The body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
