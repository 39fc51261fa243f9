/** Roads as polylines, and where on them somebody is after so many metres. */
export type Point = readonly [lat: number, lon: number];

export interface Route {
  points: readonly Point[];
  /** Metres from the start to each point. */
  at: readonly number[];
  length: number;
}

const METRES_PER_DEGREE = 111_320;

export function route(points: readonly Point[]): Route {
  const at = [0];
  for (let i = 1; i < points.length; i++) at.push(at[i - 1]! + metres(points[i - 1]!, points[i]!));
  return { points, at, length: at[at.length - 1]! };
}

/** The point so many metres along, clamped to the ends. */
export function along(road: Route, distance: number): Point {
  let i = 1;
  while (i < road.at.length - 1 && road.at[i]! < distance) i++;
  const from = road.points[i - 1]!;
  const to = road.points[i]!;
  const part = Math.min(1, Math.max(0, (distance - road.at[i - 1]!) / (road.at[i]! - road.at[i - 1]!)));
  return [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
}

/** Flat-earth distance: good to a metre over a city, which is what a simulated van needs. */
export function metres(a: Point, b: Point): number {
  const east = (b[1] - a[1]) * Math.cos((((a[0] + b[0]) / 2) * Math.PI) / 180);
  return Math.hypot(b[0] - a[0], east) * METRES_PER_DEGREE;
}

/** A point moved by metres north and east. */
export function offset(point: Point, north: number, east: number): Point {
  const perLon = METRES_PER_DEGREE * Math.cos((point[0] * Math.PI) / 180);
  return [point[0] + north / METRES_PER_DEGREE, point[1] + east / perLon];
}
