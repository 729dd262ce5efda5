import { Pool } from 'undici';
import { monotonicMs } from './clock.ts';
import { signedRequests } from './inbound-requests.ts';
import type { SenderReply, SenderRequest } from './messages.ts';
import { serveParent } from './worker.ts';

/** Distinct requests that are sent in turn: more than a second's worth, signed before the clock starts. */
const PREPARED = 4000;

type Prepare = Extract<SenderRequest, { type: 'prepare' }>;
type Run = Extract<SenderRequest, { type: 'run' }>;

let requests: ReturnType<typeof signedRequests> = [];

async function prepare({ scheme, bodyBytes }: Prepare): Promise<SenderReply> {
  requests = signedRequests(scheme, PREPARED, bodyBytes);
  return { type: 'prepared' };
}

/** A closed loop: every connection sends its next request when it has the answer to the last one. */
async function run({ origin, path, connections, seconds }: Run): Promise<SenderReply> {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const answers: Record<number, number> = {};
  let next = 0;
  const began = monotonicMs();
  const end = began + seconds * 1000;
  const loop = async (): Promise<void> => {
    while (monotonicMs() < end) {
      const { headers, body } = requests[next++ % requests.length]!;
      const answer = await pool.request({ method: 'POST', path, headers, body });
      await answer.body.dump();
      answers[answer.statusCode] = (answers[answer.statusCode] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, loop));
  const tookMs = monotonicMs() - began;
  await pool.close();
  return { type: 'ran', answers, tookMs };
}

serveParent<SenderRequest, SenderReply>((request) =>
  request.type === 'prepare' ? prepare(request) : run(request),
);
