import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** A fenced `sh` block of the README that readers are meant to type, and what the README says that it prints. */
export interface Step {
  commands: string;
  /** The block may be repeated until it prints that: it looks at something that takes a moment. */
  repeats: boolean;
  /** The next `json` or `text` block, if one follows before the next step. */
  prints: string | undefined;
}

const MARK = /^<!-- (run|repeat) -->$/;
const FENCE = /^```(\w*)$/;

/** The blocks under `<!-- run -->` and `<!-- repeat -->`, in order. */
export function stepsOf(markdown: string): Step[] {
  const steps: Step[] = [];
  let mark: string | undefined;
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    mark = MARK.exec(line)?.[1] ?? mark;
    const language = FENCE.exec(line)?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    const content = lines.slice(at + 1, end).join('\n');
    at = end;
    const last = steps.at(-1);
    if (language === 'sh') {
      if (mark !== undefined)
        steps.push({ commands: content, repeats: mark === 'repeat', prints: undefined });
      mark = undefined;
    } else if (last && (language === 'json' || language === 'text')) last.prints ??= content;
  }
  return steps;
}

/** What differs from run to run, and may be shortened with "…" in the README. */
const VARIABLE: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'],
  [/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>'],
  [/\b(dlv|evt|qk|whsec)_[\w…+/=-]+/g, '<$1>'],
  [/\b[0-9a-f]{32}\b/g, '<trace>'],
  [/("durationMs":)[\d.]+/g, '$1<ms>'],
  [/("resourceVersion":)"\d+"/g, '$1"<version>"'],
  // JSON's layout is the formatter's business.
  [/\s+/g, ''],
];

/** The output without what differs from run to run. */
export function essenceOf(output: string): string {
  return VARIABLE.reduce(
    (text, [pattern, name]) => text.replaceAll(pattern, name),
    output.replaceAll(/": /g, '":'),
  );
}

/** One bash for all steps: variables, functions and background jobs last, as in a reader's terminal. */
export class Shell {
  private readonly bash: ChildProcessByStdio<Writable, Readable, null>;
  private output = '';
  private ended = false;
  private wake: () => void = () => undefined;

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    // A group of its own, so that what runs in the background ends with it.
    this.bash = spawn('bash', ['--noprofile', '--norc'], {
      cwd,
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.bash.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.output += chunk;
      this.wake();
    });
    this.bash.once('exit', () => {
      this.ended = true;
      this.wake();
    });
    this.bash.stdin.write('set -euo pipefail\nexec 2>&1\n');
  }

  /**
   * @returns what the commands print
   * @throws Error with that, when one of them fails
   */
  async run({ commands, repeats }: Step): Promise<string> {
    this.output = '';
    const done = '\u0004done\n';
    // What is looked for may not be there yet.
    const tried = repeats ? `{\n${commands}\n} || true` : commands;
    this.bash.stdin.write(`${tried}\nprintf '\\004done\\n'\n`);
    while (!this.output.endsWith(done)) {
      if (this.ended)
        throw new Error(`A command of the README failed:\n${commands}\n\nIt printed:\n${this.output}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.output.slice(0, -done.length);
  }

  close(): void {
    if (this.bash.pid === undefined) return;
    try {
      process.kill(-this.bash.pid, 'SIGKILL');
    } catch {
      // Nothing is left of it.
    }
  }
}
