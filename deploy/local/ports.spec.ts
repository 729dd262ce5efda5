import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertPortsFree, freePorts, PortsTakenError } from './ports.ts';
import { portClaims, readSettings } from './settings.ts';

let holder: Server;
let taken: number;

beforeEach(async () => {
  holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  taken = (holder.address() as AddressInfo).port;
});
afterEach(() => void holder.close());

/** Every port of the stack on a free one, but for what a test sets. */
async function settingsWith(env: Record<string, string>) {
  const names = portClaims(readSettings({}), { demo: false }).map(({ variable }) => variable);
  const free = await freePorts(names.length);
  const ports = Object.fromEntries(names.map((name, index) => [name, String(free[index])]));
  return readSettings({ ...ports, ...env });
}

describe('checking ports before anything starts', () => {
  it('names a port that is taken, what it is for, and the variable that moves it', async () => {
    const settings = await settingsWith({ QUITTANCE_INGEST_PORT: String(taken) });
    await expect(assertPortsFree(portClaims(settings, { demo: false }))).rejects.toThrow(
      `Port 127.0.0.1:${taken} is taken; it is meant for the API of ingest. ` +
        'Stop what listens there, or choose another one: QUITTANCE_INGEST_PORT=<port>.',
    );
  });

  it('names every port that is taken at once', async () => {
    const settings = await settingsWith({
      QUITTANCE_KAFKA_PORT: String(taken),
      QUITTANCE_POSTGRES_PORT: String(taken),
    });
    const error: unknown = await assertPortsFree(portClaims(settings, { demo: false })).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(PortsTakenError);
    expect((error as PortsTakenError).taken.map(({ variable }) => variable)).toEqual([
      'QUITTANCE_KAFKA_PORT',
      'QUITTANCE_POSTGRES_PORT',
    ]);
  });

  it('notices a port that was given to two things', async () => {
    const [port] = await freePorts(1);
    const settings = await settingsWith({
      QUITTANCE_AUDIT_PORT: String(port),
      QUITTANCE_CONTROL_PORT: String(port),
    });
    await expect(assertPortsFree(portClaims(settings, { demo: false }))).rejects.toThrow(
      'QUITTANCE_AUDIT_PORT',
    );
  });

  it('passes when all are free', async () => {
    const claims = portClaims(await settingsWith({}), { demo: true });
    await expect(assertPortsFree(claims)).resolves.toBeUndefined();
  });

  it('refuses what is no port, naming the variable', () => {
    expect(() => readSettings({ QUITTANCE_AUDIT_PORT: 'eighty' })).toThrow(
      'QUITTANCE_AUDIT_PORT must be a port from 1 to 65535, not "eighty".',
    );
  });
});
