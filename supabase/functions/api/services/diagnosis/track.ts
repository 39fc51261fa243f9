/** Where a device went: short enough to draw, with all its corners. */

type Place = readonly [t: number, lat: number, lon: number];

const MOST = 400;
const METRES_PER_DEGREE = 111_320;

/** Flat-earth metres, exact enough over what a day's drive is. */
function metres(a: Place, b: Place): number {
  const east = (b[2] - a[2]) * Math.cos((((a[1] + b[1]) / 2) * Math.PI) / 180);
  return Math.hypot(b[1] - a[1], east) * METRES_PER_DEGREE;
}

/** Steps a parked receiver makes by itself are no way that was gone. */
const JITTER_M = 15;

export function trackMetres(track: readonly Place[]): number {
  let sum = 0;
  let from = track[0];
  for (const place of track) {
    const step = from ? metres(from, place) : 0;
    if (step < JITTER_M) continue;
    sum += step;
    from = place;
  }
  return sum;
}

/** Without the places that lie on the way between their neighbours, the coarser the more there are (Douglas–Peucker). */
export function simplified(track: readonly Place[]): [number, number, number][] {
  let kept = [...track];
  for (let tolerance = 5; kept.length > MOST; tolerance *= 2) kept = corners(track, tolerance);
  return kept.map(([t, lat, lon]) => [t, lat, lon]);
}

function corners(track: readonly Place[], tolerance: number): Place[] {
  const keep = new Set([0, track.length - 1]);
  const stack: [number, number][] = [[0, track.length - 1]];
  for (let part = stack.pop(); part; part = stack.pop()) {
    const [from, to] = part;
    let [worst, distance] = [-1, tolerance];
    for (let i = from + 1; i < to; i++) {
      const away = offLine(track[i] as Place, track[from] as Place, track[to] as Place);
      if (away > distance) [worst, distance] = [i, away];
    }
    if (worst < 0) continue;
    keep.add(worst);
    stack.push([from, worst], [worst, to]);
  }
  return track.filter((_, i) => keep.has(i));
}

/** Metres from a place to the line between two others. */
function offLine(place: Place, a: Place, b: Place): number {
  const scale = Math.cos((a[1] * Math.PI) / 180);
  const [px, py] = [(place[2] - a[2]) * scale, place[1] - a[1]];
  const [bx, by] = [(b[2] - a[2]) * scale, b[1] - a[1]];
  const length = bx * bx + by * by;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, (px * bx + py * by) / length));
  return Math.hypot(px - along * bx, py - along * by) * METRES_PER_DEGREE;
}
