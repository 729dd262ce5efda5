import { spawn, type SpawnOptions } from 'node:child_process';

/** What is kept of a command's output: enough for a compiler's errors. */
const MAX_OUTPUT = 16_384;

/**
 * Runs a command to its end.
 * @returns its exit code (127 when it cannot be started, 128 when a signal ended it) and the end of both outputs
 */
export function runToEnd(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-MAX_OUTPUT);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', (error) => resolve({ code: 127, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 128, output: output.trim() }));
  });
}
