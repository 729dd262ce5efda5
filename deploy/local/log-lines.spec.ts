import { describe, expect, it } from 'vitest';
import { LineReader, renderLogLine } from './log-lines.ts';

describe('a log line on the terminal', () => {
  it('is shown when it is a warning or worse, short, with what it is about', () => {
    const line = JSON.stringify({
      level: 'warn',
      time: '2026-01-01T00:00:00.000Z',
      service: 'audit',
      version: '0.1.0',
      msg: 'the database is gone',
      err: { type: 'Error', message: 'ECONNREFUSED', stack: 'Error: …' },
      attempt: 3,
    });
    expect(renderLogLine(line)).toBe('WARN the database is gone (ECONNREFUSED) attempt=3');
    expect(renderLogLine('{"level":50,"msg":"broken"}')).toBe('ERROR broken');
  });

  it('is left out when it is information', () => {
    expect(renderLogLine('{"level":"info","msg":"delivered"}')).toBeUndefined();
    expect(renderLogLine('{"level":30,"msg":"delivered"}')).toBeUndefined();
    expect(renderLogLine('{"msg":"delivered","level":"info"}')).toBeUndefined();
  });

  it('is shown as it is when a service could not even log', () => {
    expect(renderLogLine('SyntaxError: Unexpected token')).toBe('SyntaxError: Unexpected token');
    expect(renderLogLine('x'.repeat(500))).toHaveLength(401);
  });

  it('is put together again when it came in pieces', () => {
    const lines: string[] = [];
    const reader = new LineReader((line) => lines.push(line));
    reader.push(Buffer.from('one\ntw'));
    reader.push(Buffer.from('o\n\nthree'));
    reader.end();
    expect(lines).toEqual(['one', 'two', '', 'three']);
  });
});
