import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { BenchError } from './errors.ts';

/** A process of ours that answers one message at a time. */
export class Worker<Request extends object, Reply extends { type: string }> {
  readonly name: string;
  readonly pid: number;
  private readonly child: ChildProcess;
  private waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;
  private ended: Error | undefined;

  /** @param name also the name of its file */
  constructor(name: 'generator' | 'receiver' | 'sender' | 'topic-watch' | 'trace-sink') {
    this.name = name;
    this.child = fork(join(import.meta.dirname, `${name}.ts`), { serialization: 'advanced' });
    this.pid = this.child.pid ?? 0;
    this.child.on('message', (reply) => {
      const { waiting } = this;
      this.waiting = undefined;
      waiting?.resolve(reply as Reply);
    });
    this.child.once('error', (error) => this.fail(error));
    this.child.once('exit', (code, signal) => this.fail(`it ended (${signal ?? `exit code ${code}`})`));
  }

  /** @throws BenchError `worker_failed` when the process has ended, `interrupted` after `stop` */
  ask<T extends Reply['type']>(request: Request, expected: T): Promise<Extract<Reply, { type: T }>> {
    if (this.ended) return Promise.reject(this.ended);
    if (this.waiting) return Promise.reject(new Error(`${this.name} is asked twice at once.`));
    return new Promise<Reply>((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.child.send(request, (error) => error && this.fail(error));
    }).then((reply) => {
      if (reply.type === expected) return reply as Extract<Reply, { type: T }>;
      throw new BenchError('worker_failed', `${this.name} answered ${reply.type} instead of ${expected}.`);
    });
  }

  stop(): void {
    this.ended ??= new BenchError('interrupted', 'The measurement was interrupted.');
    this.waiting?.reject(this.ended);
    this.waiting = undefined;
    // It then ends by itself, and so writes what `--cpu-prof` has collected.
    if (this.child.connected) this.child.disconnect();
  }

  private fail(cause: Error | string): void {
    const reason = typeof cause === 'string' ? cause : cause.message;
    this.ended ??= new BenchError('worker_failed', `The ${this.name} process failed: ${reason}.`);
    this.waiting?.reject(this.ended);
    this.waiting = undefined;
  }
}

/**
 * The other side: answers messages with what `handle` returns. A Ctrl-C in the terminal is left to the parent;
 * without a parent the process ends.
 */
export function serveParent<Request, Reply>(handle: (request: Request) => Promise<Reply>): void {
  process.on('SIGINT', () => undefined);
  process.once('disconnect', () => process.exit());
  process.on('message', (request) => {
    void handle(request as Request).then(
      (reply) => process.send?.(reply),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        process.exit(1);
      },
    );
  });
}
