/** A Markdown table. Cells are told what they are; numbers stand right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  const marks = head.map((_, i) => (rows.every((row) => isNumeric(row[i])) ? '--:' : '---'));
  return [line(head), line(marks), ...rows.map(line)].join('\n');
}

function isNumeric(cell: string | number | undefined): boolean {
  return typeof cell === 'number' || /^[\d,.]+( (ms|s|%|MB|kB))?$/.test(cell ?? '');
}

/** 12345.6 → "12,346" */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export function range(values: readonly number[], show: (value: number) => string = whole): string {
  return values.length < 2 ? '' : `${show(Math.min(...values))}–${show(Math.max(...values))}`;
}
