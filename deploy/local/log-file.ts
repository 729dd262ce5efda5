import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs';

/** A service under load writes some megabytes a minute: what is kept of it is twice this. */
const MAX_BYTES = 32 * 1024 * 1024;

/** A log file that is appended to, and renamed to `<file>.1` when it has grown large. */
export class LogFile {
  readonly path: string;
  private readonly maxBytes: number;
  private descriptor: number;
  private bytes: number;

  constructor(path: string, maxBytes = MAX_BYTES) {
    this.path = path;
    this.maxBytes = maxBytes;
    this.descriptor = openSync(path, 'a');
    this.bytes = statSync(path).size;
  }

  /** Written before it returns, so that whoever reads the file finds it. */
  write(chunk: Buffer): void {
    if (this.bytes > this.maxBytes) this.rotate();
    this.bytes += writeSync(this.descriptor, chunk);
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private rotate(): void {
    closeSync(this.descriptor);
    renameSync(this.path, `${this.path}.1`);
    this.descriptor = openSync(this.path, 'a');
    this.bytes = 0;
  }
}
