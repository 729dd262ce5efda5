import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestFolder, type TestFolder } from '@quittance/testing';
import { KafkaAdmin, KafkaClient } from '@quittance/kafka';
import { startKafka } from './kafka.ts';
import { fetchKafkaJars } from './kafka-jars.ts';
import { freePorts } from './ports.ts';
import { postgresUrl, prepareDatabase, startPostgres } from './postgres.ts';
import { ROOT } from './settings.ts';

let folder: TestFolder;

beforeAll(async () => {
  folder = await createTestFolder('stores');
});
afterAll(() => folder.remove());

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => resolve(false));
  });
}

describe('the local Postgres', () => {
  it('starts, stops, and keeps its data over a stop and over a kill', { timeout: 60_000 }, async () => {
    const [port = 0] = await freePorts(1);
    const options = {
      dataDir: join(folder.path, 'postgres'),
      logFile: join(folder.path, 'postgres.log'),
      port,
      password: "it's secret",
    };
    const owner = { database: 'quittance', password: 'p@ss/word' };
    const url = postgresUrl({ host: '127.0.0.1', port, user: 'quittance_owner', ...owner });
    const query = async (sql: string): Promise<unknown[]> => {
      const client = new Client(url);
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(sql)).rows;
      } finally {
        await client.end();
      }
    };

    let server = await startPostgres(options);
    await prepareDatabase({ adminUrl: server.adminUrl, owner: 'quittance_owner', ...owner });
    await query('CREATE TABLE kept (n int)');
    await query('INSERT INTO kept VALUES (1)');
    await server.stop();
    expect(await isListening(port)).toBe(false);

    server = await startPostgres(options);
    await query('INSERT INTO kept VALUES (2)');
    await server.kill();

    server = await startPostgres(options);
    await prepareDatabase({ adminUrl: server.adminUrl, owner: 'quittance_owner', ...owner });
    expect(await query('SELECT n FROM kept ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toEqual([
      { rolsuper: false },
    ]);
    await server.stop();
  });

  it('says so when the password is not the one that the data were made with', async () => {
    const [port = 0] = await freePorts(1);
    const options = { dataDir: join(folder.path, 'other'), logFile: join(folder.path, 'other.log'), port };
    await (await startPostgres({ ...options, password: 'first' })).stop();
    await expect(startPostgres({ ...options, password: 'second' })).rejects.toThrow('npm start -- --fresh');
    expect(await isListening(port)).toBe(false);
  }, 60_000);
});

describe('the local Kafka', () => {
  it('starts, stops, and keeps its topics', { timeout: 120_000 }, async () => {
    const libsDir = join(ROOT, '.local', 'kafka-libs');
    await fetchKafkaJars(libsDir, () => undefined);
    const [port = 0, controllerPort = 0] = await freePorts(2);
    const options = {
      libsDir,
      dataDir: join(folder.path, 'kafka'),
      logFile: join(folder.path, 'kafka.log'),
      port,
      controllerPort,
    };
    const withAdmin = async <T>(work: (admin: KafkaAdmin) => Promise<T>): Promise<T> => {
      const admin = new KafkaAdmin(new KafkaClient({ brokers: [`127.0.0.1:${port}`], clientId: 'test' }));
      try {
        return await work(admin);
      } finally {
        await admin.close();
      }
    };

    let server = await startKafka(options);
    await withAdmin((admin) => admin.ensureTopics([{ name: 'kept', partitions: 3, config: {} }]));
    await server.stop();
    expect(await isListening(port)).toBe(false);

    server = await startKafka(options);
    expect(await withAdmin((admin) => admin.partitionCount('kept'))).toBe(3);
    await server.stop();
    expect(existsSync(join(options.dataDir, 'log', 'kept-0'))).toBe(true);
  });

  it('that cannot start says so with the end of its log', { timeout: 60_000 }, async () => {
    const [port = 0, controllerPort = 0] = await freePorts(2);
    await expect(
      startKafka({
        libsDir: join(folder.path, 'no-jars'),
        dataDir: join(folder.path, 'kafka-2'),
        logFile: join(folder.path, 'kafka-2.log'),
        port,
        controllerPort,
      }),
    ).rejects.toThrow('kafka.tools.StorageTool');
  });
});
