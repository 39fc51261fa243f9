import { describe, expect, it } from 'vitest';
import { makeMatrix, QUIET_ZONE, sideOf, toPath, toSvg, type QrMatrix } from './matrix.ts';

const drawn = (...rows: string[]): QrMatrix => ({
  size: rows.length,
  isDark: (row, column) => rows[row]?.[column] === '#',
});

/** Reads the path back into modules. */
function painted(path: string, side: number): string[] {
  const rows = Array.from({ length: side }, () => Array<string>(side).fill('.'));
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    for (let i = 0; i < Number(length); i++) rows[Number(y)]![Number(x) + i] = '#';
  return rows.map((row) => row.join(''));
}

describe('a QR code', () => {
  it('is drawn module by module, with the quiet zone that scanners need', () => {
    const matrix = drawn('##.', '...', '#.#');
    const rows = painted(toPath(matrix), sideOf(matrix));
    const inner = rows.slice(QUIET_ZONE, -QUIET_ZONE).map((row) => row.slice(QUIET_ZONE, -QUIET_ZONE));
    expect(inner).toEqual(['##.', '...', '#.#']);
    expect(rows.join('').replaceAll('.', '')).toHaveLength(4);
    expect(rows.slice(0, QUIET_ZONE).join('')).not.toContain('#');
  });

  it('of a claim link is a real code: three finder patterns in the corners', async () => {
    const matrix = await makeMatrix('https://ec.example/claim?serial=EC-CLM-001&code=ABCDEFGHJKMNPQRS');
    const corner = (row: number, column: number) =>
      [0, 1, 2, 3, 4, 5, 6].map((i) => (matrix.isDark(row, column + i) ? '#' : '.')).join('');
    expect([corner(0, 0), corner(0, matrix.size - 7), corner(matrix.size - 7, 0), corner(3, 0)]).toEqual([
      '#######',
      '#######',
      '#######',
      '#.###.#',
    ]);
    expect(matrix.size).toBeLessThanOrEqual(41);
  });

  it('as SVG is black on white and holds nothing that runs or loads', () => {
    const svg = toSvg(drawn('#'));
    expect(svg).toContain('viewBox="0 0 9 9"');
    expect(svg).toContain('fill="#fff"');
    expect(svg).not.toMatch(/script|href|style/);
  });
});
