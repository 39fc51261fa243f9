/** A map without tiles: a few kilometres of the earth, flat, north up. */

export type Place = readonly [lat: number, lon: number];

export interface MapView {
  x(lon: number): number;
  y(lat: number): number;
  metresPerPx: number;
  /** Round degrees with a line each. */
  lats: Line[];
  lons: Line[];
  bar: { px: number; label: string };
}

export interface Line {
  at: number;
  label: string;
}

export const METRES_PER_DEGREE = 111_320;
/** A parked device is not drawn so large that its receiver's noise looks like a walk. */
const SMALLEST_M = 240;
const EDGE_PX = 30;
const BAR_PX = 110;

/** Fits the places into a box of that many pixels, with room at its edges. At least one place. */
export function mapView(places: readonly Place[], width: number, height: number): MapView {
  const lats = places.map(([lat]) => lat);
  const lons = places.map(([, lon]) => lon);
  const [midLat, midLon] = [middle(lats), middle(lons)];
  // Toward the poles a degree of longitude is ever less.
  const perLon = METRES_PER_DEGREE * Math.max(0.01, Math.cos((midLat * Math.PI) / 180));
  const high = Math.max((Math.max(...lats) - Math.min(...lats)) * METRES_PER_DEGREE, SMALLEST_M);
  const wide = Math.max((Math.max(...lons) - Math.min(...lons)) * perLon, SMALLEST_M);
  const metresPerPx = Math.max(
    high / Math.max(1, height - 2 * EDGE_PX),
    wide / Math.max(1, width - 2 * EDGE_PX),
  );
  const x = (lon: number): number => width / 2 + ((lon - midLon) * perLon) / metresPerPx;
  const y = (lat: number): number => height / 2 - ((lat - midLat) * METRES_PER_DEGREE) / metresPerPx;
  const halfLat = (height / 2) * (metresPerPx / METRES_PER_DEGREE);
  const halfLon = (width / 2) * (metresPerPx / perLon);
  return {
    x,
    y,
    metresPerPx,
    lats: degreeLines(midLat - halfLat, midLat + halfLat, height / 90, 'N', 'S'),
    lons: degreeLines(midLon - halfLon, midLon + halfLon, width / 130, 'E', 'W'),
    bar: scaleBar(metresPerPx),
  };
}

const middle = (values: number[]): number => (Math.min(...values) + Math.max(...values)) / 2;

function degreeLines(from: number, to: number, most: number, plus: string, minus: string): Line[] {
  const step = round125((to - from) / Math.max(most, 1));
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const lines: Line[] = [];
  for (let i = Math.ceil(from / step); i * step <= to; i++) {
    const at = i * step;
    lines.push({ at, label: `${Math.abs(at).toFixed(decimals)}° ${at < 0 ? minus : plus}` });
  }
  return lines;
}

/** The longest round length that fits. */
function scaleBar(metresPerPx: number): { px: number; label: string } {
  const most = BAR_PX * metresPerPx;
  const magnitude = 10 ** Math.floor(Math.log10(most));
  const metres = ([5, 2, 1].find((factor) => factor * magnitude <= most) ?? 1) * magnitude;
  return { px: metres / metresPerPx, label: metres >= 1000 ? `${metres / 1000} km` : `${metres} m` };
}

/** The next 1, 2 or 5 times a power of ten. */
function round125(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((factor) => factor * magnitude >= value * 0.999) ?? 10) * magnitude;
}

/** "53.55012, 10.00987": what maps and chats understand. */
export const coordinates = (lat: number, lon: number): string => `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
