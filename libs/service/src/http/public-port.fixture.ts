import { Body, Controller, Get, Module, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { defineConfig, readConfig } from '../config/config.js';
import { portVariable } from '../config/variables.js';
import { Service } from '../lifecycle/service.js';
import { createLogger } from '../logging/logger.js';

/** Requests that wait in `/wait`, to be let go. */
export const waiting: (() => void)[] = [];

@Controller()
class PublicController {
  @Get('/address')
  address(@Req() request: FastifyRequest): { address: string } {
    return { address: request.ip };
  }

  @Post('/echo')
  echo(@Body() body: unknown): unknown {
    return body;
  }

  @Get('/wait')
  async wait(): Promise<{ waited: true }> {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return { waited: true };
  }
}

@Module({ controllers: [PublicController] })
class PublicModule {}

/** A service with a public port on the loopback, configured as given, and the lines that it logs. */
export async function startPublic(variables: Record<string, string> = {}) {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const config = readConfig(
    defineConfig({ QUITTANCE_PORT: portVariable(0), QUITTANCE_MANAGEMENT_PORT: portVariable(0) }),
    variables,
  );
  const service = new Service({
    name: 'public',
    config,
    logger: createLogger({ service: 'public', version: '0', level: 'info', destination }),
    module: () => ({ module: PublicModule }),
    configureHttp: () => undefined,
  });
  const { port = 0 } = await service.start();
  return {
    service,
    port,
    lines,
    url: (path: string) => `http://127.0.0.1:${port}${path}`,
    metrics: () => service.metrics.registry.metrics(),
    close: () => service.close(),
  };
}

/** A client that writes what it likes, whenever it likes. */
export class RawClient {
  private constructor(
    private readonly socket: Socket,
    private received = '',
  ) {
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString();
    });
    // A reset is an end as good as any.
    socket.on('error', () => undefined);
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Resolves once the system has it. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => this.socket.write(text, () => resolve()));
  }

  /** Hangs up without a word. */
  abandon(): void {
    this.socket.destroy();
  }

  /** @returns everything that was received before the other side closed the connection */
  async closed(): Promise<string> {
    if (!this.socket.closed) await once(this.socket, 'close');
    return this.received;
  }

  get answer(): string {
    return this.received;
  }
}

/** An answer's status, headers as they stand there, and problem document. */
export function parseAnswer(answer: string) {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [statusLine = '', ...headers] = head.split('\r\n');
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: headers.map((line) => line.toLowerCase()),
    problem: JSON.parse(body) as Record<string, unknown>,
  };
}
