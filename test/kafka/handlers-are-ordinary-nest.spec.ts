import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import {
  Controller,
  Injectable,
  Module,
  UseInterceptors,
  type CallHandler,
  type NestInterceptor,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, describe, expect, it } from 'vitest';
import { UnreadableRecordError, type IncomingRecord } from '@quittance/contracts';
import {
  connectStrategy,
  deadLetter,
  done,
  KafkaStrategy,
  readTopic,
  type HandlerOutcome,
  type RecordContext,
} from '@quittance/kafka';
import type { Observable } from 'rxjs';
import { headerText } from '@quittance/contracts';
import { KafkaFixture, textRecord, until, valueOf } from './fixture.js';

const kafka = new KafkaFixture();
afterAll(() => kafka.close());

@Injectable()
class Counter {
  readonly handled: string[] = [];
  readonly intercepted: string[] = [];
}

@Injectable()
class CountingInterceptor implements NestInterceptor {
  constructor(private readonly counter: Counter) {}

  intercept(_context: unknown, next: CallHandler): Observable<unknown> {
    this.counter.intercepted.push('one');
    return next.handle();
  }
}

@Controller()
class RecordController {
  constructor(private readonly counter: Counter) {}

  @EventPattern<string>('records')
  @UseInterceptors(CountingInterceptor)
  handle(@Payload() record: IncomingRecord, @Ctx() context: RecordContext): Promise<HandlerOutcome> {
    const value = valueOf(record);
    this.counter.handled.push(value);
    if (value === 'unreadable') throw new UnreadableRecordError('makes no sense');
    if (value === 'twice' && this.counter.handled.filter((one) => one === value).length < 2)
      throw new Error('again');
    if (value === 'refused') return Promise.resolve(deadLetter('refused', `refused at ${context.offset}`));
    return Promise.resolve(done());
  }
}

@Module({ controllers: [RecordController], providers: [Counter, CountingInterceptor] })
class RecordModule {}

describe('a controller with @EventPattern', () => {
  it('gets raw records with injection and interceptors, and its outcomes and typed errors decide', async () => {
    const topic = await kafka.topic(1);
    const deadLetterTopic = await kafka.topic(1);
    const strategy = new KafkaStrategy({
      client: kafka.client,
      publisher: kafka.publisher,
      deadLetterTopic,
      groups: [{ groupId: randomUUID(), sources: [{ pattern: 'records', topics: [topic] }] }],
    });
    const app = await NestFactory.create(RecordModule, new FastifyAdapter(), { logger: false });
    connectStrategy(app, strategy);
    await app.startAllMicroservices();
    const { handled, intercepted } = app.get(Counter);
    await kafka.publisher.publishAll(
      ['fine', 'unreadable', 'twice', 'refused'].map((value) => textRecord(topic, value, 0)),
    );
    const letters = () => readTopic(kafka.client, deadLetterTopic);
    await until(async () => (await letters()).length === 2, 'both dead letters');
    await until(() => handled.length === 5, 'the second try');
    await app.close();
    expect([...handled].sort()).toEqual(['fine', 'refused', 'twice', 'twice', 'unreadable']);
    expect(intercepted).toHaveLength(5);
    const reasons = (await letters()).map(({ headers }) => [
      headerText(headers, 'quittance-dead-code'),
      headerText(headers, 'quittance-dead-reason'),
    ]);
    expect(reasons).toEqual(
      expect.arrayContaining([
        ['unreadable_record', 'makes no sense'],
        ['refused', 'refused at 3'],
      ]),
    );
  });
});
