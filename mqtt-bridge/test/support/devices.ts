import { connectAsync, type MqttClient } from 'mqtt';
import { onTestFinished } from 'vitest';
import type { TestDevice } from './fleet.ts';

/** A device on the plain port; ends with its connection (no reconnecting behind the test's back). */
export function connectDevice(
  url: string,
  { serial, secret }: TestDevice,
  more: object = {},
): Promise<MqttClient> {
  return connectAsync(url, {
    ...{ username: serial, password: secret, clientId: `any-${serial}`, protocolVersion: 4 },
    ...{ reconnectPeriod: 0, clean: true, ...more },
  });
}

/** The product page's payload: no ts, no seq. `n` makes each packet of a device recognisable afterwards. */
export function pagePayload(n: number): string {
  const noise = (n * 2654435761) % 1000;
  return JSON.stringify({
    temp: 20 + noise / 100,
    hum: 50 + noise / 50,
    co2: 800 + (noise % 200),
    bat: 4.1,
    relay: false,
    rssi: -61,
    uptime: n,
  });
}

/** Publishes packets of all devices in turn at `perSecond`, each exactly once, until stopped. */
export class Load {
  /** `serial n` of every packet the broker acknowledged. */
  readonly acknowledged = new Set<string>();
  #stopped = false;
  #running: Promise<void>;

  constructor(clients: Array<{ serial: string; client: MqttClient }>, perSecond: number) {
    this.#running = this.#run(clients, perSecond);
    onTestFinished(() => void (this.#stopped = true));
  }

  async #run(clients: Array<{ serial: string; client: MqttClient }>, perSecond: number): Promise<void> {
    const from = performance.now();
    const pending = new Set<Promise<void>>();
    for (let i = 0; !this.#stopped; i++) {
      while (((performance.now() - from) / 1000) * perSecond < i && !this.#stopped)
        await new Promise((resolve) => setTimeout(resolve, 2));
      const { serial, client } = clients[i % clients.length] as { serial: string; client: MqttClient };
      const n = Math.floor(i / clients.length);
      if (!client.connected) continue;
      const sent = client
        .publishAsync(`devices/${serial}/telemetry`, pagePayload(n), { qos: 1 })
        .then(
          () => void this.acknowledged.add(`${serial} ${n}`),
          () => {}, // the test is over: nothing was promised for this one
        )
        .finally(() => pending.delete(sent));
      pending.add(sent);
    }
    await Promise.all(pending);
  }

  /** Resolves when everything published is acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}
