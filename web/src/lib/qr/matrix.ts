/** A QR code as its modules, and from there as SVG: no image service, no network, sharp at any size. */

export interface QrMatrix {
  /** Modules on a side. */
  size: number;
  isDark(row: number, column: number): boolean;
}

/** White modules around the code that scanners rely on (ISO/IEC 18004). */
export const QUIET_ZONE = 4;

/** The library comes with the first code that is drawn, not with the page. */
export async function makeMatrix(text: string): Promise<QrMatrix> {
  const { create } = await import('qrcode');
  // M: readable with 15 % of a label scratched off, and still coarse enough for a small one.
  const { modules } = create(text, { errorCorrectionLevel: 'M' });
  return { size: modules.size, isDark: (row, column) => modules.get(row, column) === 1 };
}

/** Dark modules as one path of horizontal runs, in module units, quiet zone included. */
export function toPath({ size, isDark }: QrMatrix): string {
  let path = '';
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      if (!isDark(row, column)) continue;
      const start = column;
      while (column < size && isDark(row, column)) column++;
      path += `M${start + QUIET_ZONE} ${row + QUIET_ZONE}h${column - start}v1h-${column - start}z`;
    }
  }
  return path;
}

/** Side of the drawing in module units. */
export function sideOf({ size }: QrMatrix): number {
  return size + 2 * QUIET_ZONE;
}

/** A file of its own. Black on white whatever the theme: scanners want it so. */
export function toSvg(matrix: QrMatrix): string {
  const side = sideOf(matrix);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges">` +
    `<path fill="#fff" d="M0 0h${side}v${side}H0z"/><path fill="#000" d="${toPath(matrix)}"/></svg>\n`
  );
}
