import type { DeviceCounters } from './device-options.ts';
import type { VirtualDevice } from './virtual-device.ts';

/** Many virtual devices in one process, started gently and stopped together. */
export class Fleet {
  readonly devices: readonly VirtualDevice[];
  #starting: NodeJS.Timeout | undefined;

  constructor(devices: readonly VirtualDevice[]) {
    this.devices = devices;
  }

  /** Starts so many devices a second: TLS handshakes are the dear part, and a broker is not a storm shelter. */
  start(perSecond = 100): void {
    const waiting = [...this.devices];
    const step = () => {
      for (const device of waiting.splice(0, Math.max(1, Math.round(perSecond / 10)))) device.start();
      if (waiting.length > 0) this.#starting = setTimeout(step, 100);
    };
    step();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#starting);
    await Promise.all(this.devices.map((device) => device.stop()));
  }

  get connected(): number {
    return this.devices.reduce((n, device) => n + (device.connected ? 1 : 0), 0);
  }

  counters(): DeviceCounters {
    const sum: DeviceCounters = { sampled: 0, delivered: 0, dropped: 0, failed: 0 };
    for (const { counters } of this.devices) {
      sum.sampled += counters.sampled;
      sum.delivered += counters.delivered;
      sum.dropped += counters.dropped;
      sum.failed += counters.failed;
    }
    return sum;
  }
}
