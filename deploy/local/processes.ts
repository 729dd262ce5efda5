import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { join } from 'node:path';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  command: string;
  args: readonly string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  /** A file descriptor that takes both outputs, or `pipe` to read them from `child`. */
  output: number | 'pipe';
  /** Asks the process to end by itself. */
  stopSignal: NodeJS.Signals;
  /** How long it may take to, in milliseconds, before it is killed. */
  graceMs: number;
  /** What it gets when its parent dies without having stopped it. Default: `stopSignal`. */
  orphanSignal?: NodeJS.Signals;
}

type Ending = Pick<ProcessOptions, 'stopSignal' | 'graceMs' | 'orphanSignal'>;

/**
 * A child process in a process group of its own, so that a Ctrl-C in the terminal reaches its parent only and
 * the parent decides in which order things end. Should the parent die, a guard process ends it.
 */
export class OwnedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  private readonly options: Ending;
  private exit: Exit | undefined;

  constructor(child: ChildProcess, pid: number, options: Ending) {
    this.child = child;
    this.pid = pid;
    this.options = options;
    guard.tell({ watch: pid, signal: options.orphanSignal ?? options.stopSignal });
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        guard.tell({ forget: pid });
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
  }

  get running(): boolean {
    return this.exit === undefined;
  }

  /** Asks it to end; kills it after its grace. Resolves once it is gone. */
  async stop(): Promise<Exit> {
    if (this.exit) return this.exit;
    this.child.kill(this.options.stopSignal);
    const timer = setTimeout(() => this.signalGroup('SIGKILL'), this.options.graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends the signal to the process and its children. Resolves once the process is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    if (this.exit) return this.exit;
    this.signalGroup(signal);
    return this.exited;
  }

  private signalGroup(signal: NodeJS.Signals): void {
    if (this.exit) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // It has ended in between.
    }
  }
}

/** @throws the system's error when the command cannot be started, such as `ENOENT` */
export async function startProcess(options: ProcessOptions): Promise<OwnedProcess> {
  const stdio: StdioOptions = ['ignore', options.output, options.output];
  const child = spawn(options.command, options.args, {
    stdio,
    detached: true,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.env && { env: options.env }),
    ...(options.uid !== undefined && { uid: options.uid }),
    ...(options.gid !== undefined && { gid: options.gid }),
  });
  const { pid } = child;
  if (pid === undefined) {
    throw await new Promise<Error>((resolve) => child.once('error', resolve));
  }
  return new OwnedProcess(child, pid, options);
}

/** Have this folder removed when this process ends without {@link keepFolder} having been called. */
export function removeFolderAtDeath(folder: string): void {
  guard.tell({ remove: folder });
}

/** Takes {@link removeFolderAtDeath} back. */
export function keepFolder(folder: string): void {
  guard.tell({ keep: folder });
}

type GuardMessage =
  { watch: number; signal: NodeJS.Signals } | { forget: number } | { remove: string } | { keep: string };

/** One guard per process, started with the first thing it has to watch. */
class Guard {
  private readonly watched = new Map<number, GuardMessage>();
  private readonly folders = new Map<string, GuardMessage>();
  private child: ChildProcess | undefined;

  tell(message: GuardMessage): void {
    if ('watch' in message) this.watched.set(message.watch, message);
    else if ('remove' in message) this.folders.set(message.remove, message);
    else if ('forget' in message) this.watched.delete(message.forget);
    else this.folders.delete(message.keep);
    if (this.child) this.send(message);
    else this.start();
  }

  private start(): void {
    if (this.watched.size + this.folders.size === 0) return;
    const child = spawn(process.execPath, [join(import.meta.dirname, 'guard.ts')], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env: {},
    });
    this.child = child;
    child.once('exit', () => {
      this.child = undefined;
      this.start();
    });
    child.once('error', () => undefined);
    child.stdin.on('error', () => undefined);
    // Neither the guard nor its pipe may keep this process alive.
    child.unref();
    if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
    for (const message of [...this.watched.values(), ...this.folders.values()]) this.send(message);
  }

  private send(message: GuardMessage): void {
    this.child?.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}

const guard = new Guard();
