/** Whether what was acknowledged is what is stored: the question every run answers before its speed counts. */

export interface StoredDevice {
  serial: string;
  rows: number;
  /** Different counters among the rows. */
  distinct: number;
  /** Different counters among the rows up to the highest acknowledged one. */
  within: number;
}

export interface Verdict {
  acknowledged: number;
  rows: number;
  /** Acknowledged readings that are nowhere in the database. */
  lost: number;
  /** Rows that hold a reading another row holds too. */
  doubled: number;
  /** Readings stored though their acknowledgement never arrived: allowed, they were sent. */
  unacknowledged: number;
}

/** Compares the generator's books (readings of a device are numbered from 1) with what the database holds. */
export function compareBooks(
  serials: readonly string[],
  ackedOf: ArrayLike<number>,
  stored: Iterable<StoredDevice>,
): Verdict {
  const found = new Map<string, StoredDevice>();
  for (const device of stored) found.set(device.serial, device);
  const verdict: Verdict = { acknowledged: 0, rows: 0, lost: 0, doubled: 0, unacknowledged: 0 };
  for (let i = 0; i < serials.length; i++) {
    const acked = ackedOf[i] ?? 0;
    const { rows, distinct, within } = found.get(serials[i]!) ?? { rows: 0, distinct: 0, within: 0 };
    verdict.acknowledged += acked;
    verdict.rows += rows;
    verdict.lost += acked - within;
    verdict.doubled += rows - distinct;
    verdict.unacknowledged += distinct - within;
  }
  return verdict;
}

export function isClean(verdict: Verdict): boolean {
  return verdict.lost === 0 && verdict.doubled === 0;
}
