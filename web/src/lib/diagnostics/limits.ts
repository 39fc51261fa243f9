import type { DeviceDiagnostics } from '@edgeconductor/sdk';

type Thresholds = DeviceDiagnostics['thresholds'];

const KB = 1000;

/** The numbers a part is judged by, as short notes under it. */
export const limits = {
  battery: ({ battery }: Thresholds) => [
    `Alert below ${battery.alert_v} V`,
    `low below ${battery.warn_pct} %`,
    `warning when it lasts less than ${battery.warn_days} days`,
  ],
  signal: ({ signal }: Thresholds) => [
    `Weak below ${dbm(signal.warn_dbm)}`,
    `very weak below ${dbm(signal.bad_dbm)}`,
    `bars from ${signal.bars.map((from) => String(from).replace('-', '−')).join(', ')} dBm`,
  ],
  heap: ({ heap }: Thresholds) => [
    `Short below ${heap.warn_bytes / KB} kB`,
    `very short below ${heap.bad_bytes / KB} kB`,
    `a leak falls by ${heap.leak_bytes_per_h} B an hour or more, for an hour at least`,
  ],
  restarts: ({ restarts }: Thresholds) => [
    `Warning from ${restarts.warn_crashes} crash a day`,
    `bad from ${restarts.bad_crashes}`,
  ],
  loss: ({ loss }: Thresholds) => [`Warning from ${loss.warn_pct} % lost`, `bad from ${loss.bad_pct} %`],
  clock: ({ clock }: Thresholds) => [
    `Warning from ${clock.warn_ms / 1000} s off`,
    `bad from ${clock.bad_ms / 1000} s`,
  ],
  gps: ({ gps }: Thresholds) => [
    `Good from ${gps.good_sats} satellites`,
    `very good from ${gps.very_good_sats}`,
    `slow when the first fix takes more than ${gps.slow_ttff_s} s`,
  ],
};

const dbm = (value: number): string => `${String(value).replace('-', '−')} dBm`;
