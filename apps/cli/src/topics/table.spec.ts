import { expect, it } from 'vitest';
import { renderTable } from './table.js';

it('lines up columns, numbers to the right, without trailing blanks', () => {
  expect(
    renderTable(
      ['NAME', 'COUNT', 'NOTE'],
      [
        ['a', '1', ''],
        ['long-name', '1000000', 'words'],
        ['b', 'missing', ''],
      ],
    ),
  ).toBe(
    [
      'NAME         COUNT  NOTE',
      'a                1',
      'long-name  1000000  words',
      'b          missing',
    ].join('\n'),
  );
});
