import type { Server } from 'node:http';
import { BrokerAgentRole } from './broker-agent/role.ts';
import type { Config, Role } from './config.ts';
import { serveHttp } from './http.ts';
import { Ingest } from './ingest.ts';
import type { Log } from './log.ts';
import { Metrics } from './metrics.ts';
import { Relay } from './relay.ts';
import type { RunningRole } from './role.ts';

type Startable = RunningRole & { start(): Promise<void> };

/** Builds the roles this process was asked for and answers for them. A new role is one line here. */
export class Controller {
  readonly #config: Config;
  readonly #metrics = new Metrics();
  readonly #roles: Array<[Role, Startable]>;
  #http: Server | undefined;

  constructor(config: Config, log: Log) {
    this.#config = config;
    const make: Record<Role, () => Startable> = {
      ingest: () => new Ingest(config, this.#metrics, log),
      relay: () => new Relay(config, this.#metrics, log),
      'broker-agent': () => new BrokerAgentRole(config, log),
    };
    this.#roles = config.roles.map((role) => [role, make[role]()]);
  }

  async start(): Promise<void> {
    const { port, host } = this.#config;
    if (port !== undefined)
      this.#http = await serveHttp({
        ...{ port, host },
        health: () => {
          const parts = Object.fromEntries(this.#roles.map(([name, role]) => [name, role.healthy()]));
          return { ok: Object.values(parts).every(Boolean), parts };
        },
        metrics: () => this.#metrics.render(),
      });
    for (const [, role] of this.#roles) await role.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#roles.map(([, role]) => role.stop()));
    this.#http?.closeAllConnections();
    this.#http?.close();
  }
}
