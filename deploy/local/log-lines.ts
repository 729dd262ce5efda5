/** How much of a line that never ends is kept. */
const MAX_LINE = 64 * 1024;
const MAX_SHOWN = 400;
const NOT_SHOWN = new Set([
  'level',
  'time',
  'pid',
  'hostname',
  'msg',
  'service',
  'version',
  'err',
  'error',
  'span_id',
  'trace_flags',
]);
const PINO_LEVELS: Record<number, string> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const QUIET = new Set(['trace', 'debug', 'info']);
/** A line that need not be parsed to know that it is not shown: nearly all of them under load. */
const QUIET_START = /^\{"level":(?:"(?:trace|debug|info)"|[123]0),/;

/** Cuts a stream of bytes into lines. */
export class LineReader {
  private rest = '';
  private readonly onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.onLine = onLine;
  }

  push(chunk: Buffer): void {
    const text = this.rest + chunk.toString();
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      this.onLine(text.slice(from, end));
      from = end + 1;
    }
    this.rest = text.slice(from).slice(-MAX_LINE);
  }

  /** Hands over a last line without its end. */
  end(): void {
    if (this.rest) this.onLine(this.rest);
    this.rest = '';
  }
}

/**
 * A service's log line for the terminal: warnings and worse, short; `undefined` for all else. What is not JSON
 * (a crash before the logger was up) is shown as it is.
 */
export function renderLogLine(line: string): string | undefined {
  if (QUIET_START.test(line) || line.trim() === '') return undefined;
  const record = parseObject(line);
  if (!record) return shorten(line);
  const level = typeof record['level'] === 'number' ? PINO_LEVELS[record['level']] : record['level'];
  if (typeof level !== 'string' || QUIET.has(level)) return undefined;

  const parts = [level.toUpperCase(), String(record['msg'] ?? '')];
  const error = record['err'] ?? record['error'];
  const reason = isObject(error) ? error['message'] : error;
  if (reason !== undefined && reason !== record['msg']) parts.push(`(${String(reason)})`);
  for (const [name, value] of Object.entries(record)) {
    if (NOT_SHOWN.has(name) || value === null) continue;
    parts.push(`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  }
  return shorten(parts.join(' '));
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
