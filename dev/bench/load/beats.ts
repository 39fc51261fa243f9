import { Connection, type Login, type Target } from './connection.ts';
import { telemetryTopic } from './frames.ts';

/** A reading that was due, for whoever looks for it elsewhere. Epoch ms. */
export interface Due {
  serial: string;
  value: number;
  at: number;
}

/**
 * Real devices at their own beat: each over its own connection, spread over the interval, with a CO₂ value
 * that is different every time so that a screen tells which reading it shows.
 */
export class Beats {
  readonly due: Due[] = [];
  readonly #connections: Connection[];
  readonly #logins: Login[];
  #timers: NodeJS.Timeout[] = [];

  private constructor(connections: Connection[], logins: Login[]) {
    this.#connections = connections;
    this.#logins = logins;
  }

  static async connect(target: Target, logins: Login[]): Promise<Beats> {
    const connections: Connection[] = [];
    for (const login of logins)
      connections.push(
        await Connection.open(
          target,
          login,
          () => undefined,
          () => undefined,
        ),
      );
    return new Beats(connections, logins);
  }

  start(intervalMs: number): void {
    this.#connections.forEach((connection, i) => {
      const serial = this.#logins[i]!.username;
      const topic = telemetryTopic(serial);
      const first = Date.now() + (i / this.#connections.length) * intervalMs;
      let beat = 0;
      const send = (): void => {
        const at = first + beat * intervalMs;
        const value = 500 + (beat++ % 400);
        this.due.push({ serial, value, at });
        connection.publish(
          i,
          topic,
          `{"temp":24.3,"hum":58,"co2":${value},"relay":false,"bat":4.05,"signal":-61}`,
        );
        connection.flush();
        this.#timers[i] = setTimeout(send, first + beat * intervalMs - Date.now());
      };
      this.#timers[i] = setTimeout(send, first - Date.now());
    });
  }

  stop(): void {
    this.#timers.forEach((timer) => clearTimeout(timer));
    for (const connection of this.#connections) connection.close();
  }
}
