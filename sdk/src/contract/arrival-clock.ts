/** Arrival time in microseconds since the epoch, strictly increasing within a process: it is the identity of a
 *  packet that brings no time of its own (TEL), so two packets may never share it. */
export type ArrivalClock = () => number;

/** `now` in milliseconds, `fine` any sub-millisecond phase; both are injectable for tests. */
export function createArrivalClock(
  now: () => number = Date.now,
  fine: () => number = microsecondPhase,
): ArrivalClock {
  let last = 0;
  return () => {
    // The phase only spreads processes apart: two doors that hear the same device within one millisecond
    // must not agree on a microsecond.
    const micros = Math.floor(now()) * 1000 + fine();
    last = micros > last ? micros : last + 1;
    return last;
  };
}

function microsecondPhase(): number {
  return Math.floor(performance.now() * 1000) % 1000;
}
