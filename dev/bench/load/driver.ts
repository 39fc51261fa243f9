import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Order, Report } from './generator.ts';
import type { Mode, PublisherOptions } from './publisher.ts';

type Done = Extract<Report, { kind: 'done' }>;

/** The bench's side of the load generator. */
export class Generator {
  readonly #child: ChildProcess;
  #listeners: ((report: Report) => void)[] = [];
  /** Latest progress of the running load. */
  progress = { sent: 0, acked: 0 };

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (report: Report) => {
      if (report.kind === 'progress') this.progress = report;
      for (const listener of this.#listeners) listener(report);
    });
    child.on('exit', (code) => {
      for (const listener of this.#listeners)
        listener({ kind: 'failed', why: `the load generator ended (${code})` });
    });
  }

  static async start(options: PublisherOptions): Promise<Generator> {
    const child = fork(join(import.meta.dirname, 'generator.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const generator = new Generator(child);
    await generator.#ask({ do: 'connect', options }, 'connected');
    return generator;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  run(mode: Mode): Promise<Done> {
    return this.#ask({ do: 'run', mode }, 'done') as Promise<Done>;
  }

  pause(paused: boolean): void {
    this.#send({ do: 'pause', paused });
  }

  /** Ends the running load; its `run` resolves once everything sent is acknowledged. */
  finish(): void {
    this.#send({ do: 'finish' });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#listeners = [];
    this.#send({ do: 'end' });
    await exited;
  }

  #send(order: Order): void {
    if (this.#child.connected) this.#child.send(order);
  }

  #ask(order: Order, answer: Report['kind']): Promise<Report> {
    return new Promise((resolve, reject) => {
      const listener = (report: Report): void => {
        if (report.kind !== answer && report.kind !== 'failed') return;
        this.#listeners = this.#listeners.filter((other) => other !== listener);
        if (report.kind === 'failed') reject(new Error(report.why));
        else resolve(report);
      };
      this.#listeners.push(listener);
      this.#send(order);
    });
  }
}
