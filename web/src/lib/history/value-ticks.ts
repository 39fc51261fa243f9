const STEPS = [1, 2, 2.5, 5, 10];

/** Round values inside [min, max], two at least and about `count`: enough to read a small chart by. */
export function valueTicks(min: number, max: number, count = 3): number[] {
  const span = max - min;
  if (!(span > 0) || !Number.isFinite(span)) return Number.isFinite(min) ? [min] : [];
  for (let wanted = span / count; ; wanted /= 2) {
    const magnitude = 10 ** Math.floor(Math.log10(wanted));
    const step = (STEPS.find((factor) => factor * magnitude >= wanted * 0.999) ?? 10) * magnitude;
    const ticks: number[] = [];
    for (let i = Math.ceil(min / step); i * step <= max; i++) ticks.push(Number((i * step).toPrecision(12)));
    if (ticks.length >= 2) return ticks;
  }
}
