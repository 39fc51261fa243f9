/** When readings are due: as fast as acknowledgements come back, or by the clock whatever comes back. */
export interface Pace {
  /** How many readings may have been sent by now, counted from the start. */
  allowed(now: number, acked: number): number;
  /** Whether nothing is to be sent any more. */
  done(now: number, sent: number): boolean;
}

/** Closed loop: never more than `window` readings unacknowledged, for a time or up to a number. */
export function closedLoop(
  start: number,
  window: number,
  limit: { seconds?: number; readings?: number },
): Pace {
  const end = limit.seconds === undefined ? Infinity : start + limit.seconds * 1_000;
  const most = limit.readings ?? Infinity;
  return {
    allowed: (_now, acked) => Math.min(most, acked + window),
    done: (now, sent) => now >= end || sent >= most,
  };
}

/**
 * Open loop: reading number k (from 0) is due at start + k / rate, and its latency counts from there even when
 * the generator or the broker was late. Otherwise a stalled system would be asked less while it stalls, and
 * look fast (coordinated omission).
 */
export function openLoop(start: number, rate: number, seconds: number): Pace {
  const total = Math.floor(rate * seconds);
  return {
    allowed: (now) => Math.min(total, Math.floor(((now - start) * rate) / 1_000) + 1),
    done: (_now, sent) => sent >= total,
  };
}

/** When reading number `counter` (from 1) of device `index` of `devices` was due, ms after the start. */
export function dueAt(rate: number, devices: number, index: number, counter: number): number {
  return (((counter - 1) * devices + index) / rate) * 1_000;
}
