import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { PEER_USER } from '../lab/broker.ts';
import { storeIn, type Contender } from './contender.ts';

/** Topic and body as they come out of the pipe. */
const pipeStore = storeIn(
  'public.bench_pipe',
  async (lab) => {
    await lab.db.query(
      'create table if not exists public.bench_pipe (topic text not null, data jsonb not null)',
    );
    await lab.db.query('truncate public.bench_pipe');
    await lab.db.query('checkpoint');
  },
  `select split_part(topic, '/', 2) as serial, (data ->> 'uptime')::int as counter from public.bench_pipe`,
);

/** The raw ceiling: everything into one COPY that commits when the subscriber is ended. */
export const pipe: Contender = {
  name: 'pipe',
  label: 'mosquitto_sub -q 1 | psql \\copy',
  does: 'raw body into a table without key; nothing is committed before the pipe is closed',
  acknowledges: 'before commit',
  broker: 'mosquitto',
  store: pipeStore,
  async start(lab) {
    const subscriber = spawn(
      'mosquitto_sub',
      [
        ...['-h', '127.0.0.1', '-p', String(lab.ports.mqtt), '-u', PEER_USER, '-P', lab.password],
        ...['-i', PEER_USER, '-c', '-q', '1', '-t', 'devices/+/telemetry', '-F', '%t\\t%p'],
      ],
      // It says "Timed out" when it is told that time is over.
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const columns = '\\copy public.bench_pipe (topic, data) from stdin';
    const copy = spawn(
      'psql',
      ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', columns, lab.db.url('supabase_admin')],
      {
        stdio: [subscriber.stdout, 'inherit', 'inherit'],
      },
    );
    const copied = once(copy, 'exit');
    // It prints nothing when it has subscribed; a second is generous on loopback.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    if (subscriber.exitCode !== null || copy.exitCode !== null) throw new Error('The pipe did not start.');
    return {
      pids: () => [subscriber.pid ?? 0, copy.pid ?? 0],
      async finish() {
        // Its own signal for "time is over": leaves cleanly and flushes what it still holds.
        subscriber.kill('SIGALRM');
        await copied;
      },
      stop() {
        subscriber.kill('SIGKILL');
        copy.kill('SIGKILL');
        return Promise.resolve();
      },
    };
  },
};
