/** Battery and radio as people read them. No schema in here, so that a web page does not load zod for it. */

/** Percent of a cell at that voltage, by its curve [[V, %], …] rising; 0…100, between the points on a line. */
export function batteryPercent(volts: number, curve: readonly (readonly [number, number])[]): number {
  const above = curve.findIndex(([v]) => v > volts);
  if (above === 0) return curve[0]?.[1] ?? 0;
  const [v0, p0] = curve[above === -1 ? curve.length - 1 : above - 1] ?? [0, 0];
  const [v1, p1] = curve[above] ?? [v0, p0];
  const percent = v1 === v0 ? p0 : p0 + ((p1 - p0) * (volts - v0)) / (v1 - v0);
  return Math.round(Math.min(100, Math.max(0, percent)));
}

/** How many of the bars are lit: 0 to their number. `bars` = dBm from which there is one, two, … */
export function signalBars(dbm: number, bars: readonly number[]): number {
  return bars.filter((from) => dbm >= from).length;
}
