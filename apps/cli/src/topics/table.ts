const GAP = '  ';

/** Columns as wide as their widest cell; columns of numbers are aligned to the right. The last one is not padded. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const isNumeric = head.map((_, column) => rows.every((row) => /^(\d*|missing)$/.test(row[column] ?? '')));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        if (isNumeric[column]) return cell.padStart(widths[column] ?? 0);
        return column === head.length - 1 ? cell : cell.padEnd(widths[column] ?? 0);
      })
      .join(GAP)
      .trimEnd();
  return [head, ...rows].map(line).join('\n');
}
