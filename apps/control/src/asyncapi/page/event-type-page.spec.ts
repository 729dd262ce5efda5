import { eventTypeSpec } from '@quittance/contracts';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { asyncApiDocument } from '../asyncapi-document.js';
import { eventTypePage, PAGE_POLICY } from './event-type-page.js';

const context = { namespace: 'shop', ingestUrl: 'http://127.0.0.1:8080' };

function pageOf(spec: unknown, name = 'order.completed'): string {
  const type = { name, spec: eventTypeSpec.parse(spec), resourceVersion: '1' };
  return eventTypePage(asyncApiDocument([type], context), name, context);
}

/** Cells of the tables' rows, tags left out. */
function rowsOf(page: string): string[][] {
  return [...page.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
    [...row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) =>
      cell!
        .replaceAll(/<\/li>\s*<li>/g, '; ')
        .replaceAll(/<[^>]*>/g, '')
        .replaceAll('&quot;', '"')
        .trim(),
    ),
  );
}

const order = {
  type: 'object',
  required: ['total'],
  additionalProperties: false,
  properties: {
    total: { type: 'number', exclusiveMinimum: 0, description: 'With tax.' },
    currency: { enum: ['EUR', 'USD'] },
    lines: { type: 'array', items: { $ref: '#/$defs/line' }, maxItems: 10 },
    odd: { oneOf: [{ type: 'string' }, { type: 'object', properties: { 'a b': {} } }] },
  },
  $defs: {
    line: {
      type: 'object',
      title: 'A line.',
      properties: { sku: { type: ['string', 'null'] }, line: { $ref: '#/$defs/line' } },
    },
  },
};

describe('the page of an event type', () => {
  it('lists the fields of every version', () => {
    const rows = rowsOf(pageOf({ versions: [{ version: '1', schema: order }] }));
    for (const row of [
      ['the data', 'object', 'yes', '', 'no other members'],
      ['total', 'number', 'yes', 'With tax.', 'more than 0'],
      ['currency', 'any', 'no', '', 'one of "EUR", "USD"'],
      ['lines', 'array', 'no', '', 'items: at most 10'],
      ['lines[]', 'object', 'no', 'A line.', ''],
      ['lines[].sku', 'string or null', 'no', '', ''],
      ['lines[].line', 'object', 'no', 'A line.', 'as described above'],
      ['odd (either, 2)."a b"', 'any', 'no', '', ''],
    ]) {
      expect(rows).toContainEqual(row);
    }
    expect(rows.filter(([path]) => path?.startsWith('lines[].line'))).toHaveLength(1);
  });

  it('shows the examples, the deprecation and every answer', () => {
    const page = pageOf({
      description: 'First.\n\nSecond.',
      versions: [
        {
          version: '1',
          schema: {},
          examples: [{ total: 1 }],
          deprecated: { since: '2026-01-01T00:00:00Z', sunset: '2027-01-01T00:00:00Z', message: 'Use 2.' },
        },
      ],
    });
    expect(page).toContain('<p>First.</p><p>Second.</p>');
    expect(page).toContain('&quot;total&quot;: 1');
    expect(page).toMatch(
      /since\s+2026-01-01T00:00:00Z,\s+and\s+may\s+be\s+gone\s+from\s+2027-01-01T00:00:00Z/,
    );
    const answers = rowsOf(page);
    expect(answers).toContainEqual([
      '429',
      'rate_limited',
      'Too many events',
      'Wait as long as "Retry-After" says.',
    ]);
    expect(answers.find(([status]) => status === '202')).toBeDefined();
  });

  it('publishes with a command that a shell reads as it is meant', () => {
    const data = { note: `it's "$HOME" & \`pwd\` \\ <b>` };
    const page = pageOf({ versions: [{ version: '1', schema: {}, examples: [data] }] });
    const command = /<code>(curl .*?)<\/code>/s.exec(page)![1]!;
    const text = command
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&');
    const shown = execFileSync('sh', ['-c', text.replace(/^curl/, 'printf "%s\\n"')], { encoding: 'utf8' });
    expect(JSON.parse(shown.trim().split('\n').at(-1)!)).toEqual({
      type: 'order.completed',
      schemaversion: '1',
      data,
    });
  });

  it('lets nothing that a team writes become markup', () => {
    const evil = `"><script>alert(1)</script><img src=x onerror='x'>`;
    const page = pageOf({
      description: evil,
      deprecated: { since: '2026-01-01T00:00:00Z', message: evil },
      versions: [
        {
          version: '1',
          schema: {
            title: evil,
            properties: { [evil]: { description: evil, pattern: evil, const: evil, format: 'date' } },
            patternProperties: { [evil]: { enum: [evil], default: evil } },
          },
          examples: [{ [evil]: evil }],
        },
      ],
    });
    expect(page).not.toMatch(/<script|<img|onerror='/);
    expect(page.match(/&lt;script&gt;/g)!.length).toBeGreaterThan(10);
  });

  it('loads nothing and runs nothing, and its style is the one that its policy allows', () => {
    const page = pageOf({});
    const [, style] = /<style>(.*?)<\/style>/s.exec(page)!;
    const hash = createHash('sha256').update(style!).digest('base64');
    expect(PAGE_POLICY).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    expect(page).not.toMatch(/<(script|link|img|iframe)|\sstyle=|\son\w+=|url\(|@import/);
  });

  it('is bounded, whatever the schema', () => {
    const wide = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`p${index}`, {}]));
    expect(
      rowsOf(pageOf({ versions: [{ version: '1', schema: { properties: wide } }] })).length,
    ).toBeLessThan(600);
    const node: Record<string, unknown> = { type: 'object', properties: {} };
    for (const name of ['a', 'b', 'c', 'd']) {
      (node['properties'] as Record<string, unknown>)[name] = {
        anyOf: [{ $ref: '#/$defs/n' }, { type: 'null' }],
      };
    }
    const rows = rowsOf(
      pageOf({ versions: [{ version: '1', schema: { $ref: '#/$defs/n', $defs: { n: node } } }] }),
    );
    expect(rows.length).toBeLessThan(600);
  });
});
