/** The load generator's own process: told over IPC what to publish, so that it never shares a thread with what it measures. */
import { Publisher, type Mode, type PublisherOptions } from './publisher.ts';

export type Order =
  | { do: 'connect'; options: PublisherOptions }
  | { do: 'run'; mode: Mode }
  | { do: 'pause'; paused: boolean }
  | { do: 'finish' }
  | { do: 'end' };

export type Report =
  | { kind: 'connected' }
  | { kind: 'progress'; sent: number; acked: number }
  | {
      kind: 'done';
      sent: number;
      acked: number;
      startedAt: number;
      lastAckAt: number;
      ackedOf: number[];
      lateness: { p50: number; p99: number; max: number };
    }
  | { kind: 'failed'; why: string };

let publisher: Publisher | undefined;

const tell = (report: Report): void => void process.send?.(report);

async function obey(order: Order): Promise<void> {
  if (order.do === 'connect') {
    publisher = new Publisher(order.options);
    await publisher.connect();
    tell({ kind: 'connected' });
  } else if (order.do === 'pause') {
    publisher?.pause(order.paused);
  } else if (order.do === 'finish') {
    publisher?.finish();
  } else if (order.do === 'run' && publisher) {
    const current = publisher;
    const beat = setInterval(() => tell({ kind: 'progress', ...current.progress }), 250);
    const outcome = await publisher.run(order.mode).finally(() => clearInterval(beat));
    tell({ kind: 'done', ...outcome, ackedOf: [...outcome.ackedOf] });
  } else {
    publisher?.close();
    process.disconnect();
  }
}

process.on('message', (order: Order) => {
  obey(order).catch((error: unknown) => tell({ kind: 'failed', why: String(error) }));
});
// The bench was ended: nobody is left to publish for.
process.on('disconnect', () => process.exit(0));
