import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { runCli } from './cli.js';

async function run(line: string, env: NodeJS.ProcessEnv = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(line.split(' '), {
    env,
    print: (text) => out.push(text),
    complain: (text) => err.push(text),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

/** A port that was just closed. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return address !== null && typeof address === 'object' ? address.port : 0;
}

it('prints help on standard output, and ends with 0', async () => {
  const { code, out, err } = await run('--help');
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch('topics grow <topic>');
});

it('ends with 64 when the command line is wrong, before Kafka is asked', async () => {
  expect(await run('topics grow deliveries')).toEqual({
    code: 64,
    out: '',
    err: 'quittance: How many partitions? Say --partitions <n>. See: quittance topics grow --help',
  });
});

it('ends with 78 when the environment is wrong, and names the variables', async () => {
  const env = { QUITTANCE_KAFKA_BROKERS: 'nowhere', QUITTANCE_RETRY_LADDER: '5s,1s' };
  const { code, err } = await run('topics list', env);
  expect(code).toBe(78);
  expect(err).toMatch(
    /QUITTANCE_KAFKA_BROKERS must be a list[^]*QUITTANCE_RETRY_LADDER The retry ladder must rise/,
  );
});

// The client tries a broker that refuses for five seconds.
const PATIENCE_MS = 20_000;

it(
  'says which broker does not answer, and how, in one line, whatever else the environment holds',
  async () => {
    const broker = `127.0.0.1:${await closedPort()}`;
    const { code, out, err } = await run('topics list', {
      QUITTANCE_KAFKA_BROKERS: broker,
      QUITTANCE_PORT: 'of no concern',
    });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(
      new RegExp(`^quittance: Kafka at ${broker} does not answer: .*ECONNREFUSED.*QUITTANCE_KAFKA_BROKERS`),
    );
    expect(err).not.toMatch('\n');
  },
  PATIENCE_MS,
);
