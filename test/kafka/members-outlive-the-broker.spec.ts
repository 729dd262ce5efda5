import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { collector, KafkaFixture, until } from './fixture.js';

interface Coordinators {
  findGroupCoordinator(options: { groupId: string }): Promise<unknown>;
}

const require = createRequire(import.meta.url);
const { prototype } = require('kafkajs/src/cluster/index.js') as { prototype: Coordinators };
const { KafkaJSNonRetriableError, KafkaJSGroupCoordinatorNotFound } =
  require('kafkajs/src/errors.js') as Record<string, new (message: string, options?: object) => Error>;
const original = prototype.findGroupCoordinator;

const kafka = new KafkaFixture();
afterEach(() => {
  prototype.findGroupCoordinator = original;
});
afterAll(() => kafka.close());

describe('a member that finds no coordinator while its only broker comes or goes', () => {
  it('joins again by itself, though the client gives up then', async () => {
    const topic = await kafka.topic(1);
    const groupId = randomUUID();
    const first = collector();
    const member = await kafka.member({ groupId, topics: [topic], handler: first.handler });
    await kafka.fill(topic, 5);
    await until(() => first.values.length === 5, 'the member reads');

    let refusals = 0;
    prototype.findGroupCoordinator = function (this: Coordinators, options) {
      if (options.groupId !== groupId || refusals >= 3) return original.call(this, options);
      refusals++;
      // As the client's retrier wraps it.
      const cause = new KafkaJSGroupCoordinatorNotFound!('Failed to find group coordinator');
      throw new KafkaJSNonRetriableError!(cause.message, { cause });
    };
    // Another member makes both join anew, and so look for the coordinator.
    const second = collector();
    const other = await kafka.member({ groupId, topics: [topic], handler: second.handler });
    await until(() => refusals === 3, 'both have looked in vain');
    await kafka.fill(topic, 5, 0, 5);
    await until(
      () => new Set([...first.values, ...second.values]).size === 10,
      'what was written since is read',
    );
    for (const each of [member, other]) expect(each.health()).toMatchObject({ alive: true });
    await until(() => member.health().joined && other.health().joined, 'both have joined');
  });
});
