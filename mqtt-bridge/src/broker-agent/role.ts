import type { Config } from '../config.ts';
import { Database } from '../db.ts';
import { errorText, type Log } from '../log.ts';
import type { RunningRole } from '../role.ts';
import { BrokerAgent } from './agent.ts';
import { signalPidFile } from './signal.ts';

/** The broker agent beside a Mosquitto somebody else started: it is told by SIGHUP, found by its pid_file. */
export class BrokerAgentRole implements RunningRole {
  readonly #db: Database;
  readonly #agent: BrokerAgent;

  constructor(config: Config, log: Log) {
    const { dbUrl, passwordFile, aclFile, pidFile } = config.agent;
    this.#db = new Database(dbUrl, { max: 1, name: 'ec-broker-agent', log });
    this.#agent = new BrokerAgent({
      db: this.#db,
      ...{ dbUrl, passwordFile, aclFile, bridgePassword: config.mqttPassword, log },
      reload() {
        try {
          signalPidFile(pidFile, 'SIGHUP');
        } catch (error) {
          // Not running yet: it reads the files when it starts.
          log('warn', 'Mosquitto could not be told', { error: errorText(error) });
        }
      },
    });
  }

  async start(): Promise<void> {
    await this.#agent.start();
  }

  healthy(): boolean {
    return this.#agent.healthy;
  }

  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.#db.close();
  }
}
