import { Generator } from '../load/driver.ts';
import type { Mode } from '../load/publisher.ts';
import type { Consumer, Contender } from '../peers/contender.ts';
import { compareBooks, type Verdict } from './books.ts';
import type { LabBroker } from './broker.ts';
import { cpuSeconds, residentMb } from './cpu.ts';
import type { Lab } from './lab.ts';
import { loginsFor, type Connections } from './logins.ts';

export interface RunOptions {
  devices: number;
  connections: Connections;
  mode: Mode;
}

export interface Run {
  contender: string;
  verdict: Verdict;
  /** From the first publish to the commit of the last reading. */
  seconds: number;
  readings_per_s: number;
  /** CPU seconds per part, over the same span. */
  cpu_s: { broker: number; consumer: number; postgres: number; generator: number };
  consumer_mb: number;
  /** Open loop: how late the generator itself was, ms. */
  generator_lateness_ms: { p50: number; p99: number; max: number };
}

/** More readings than this acknowledged and not stored, and publishing pauses: queues and memory have an end. */
const MOST_WAITING = 60_000;
/** The same for peers that acknowledge first and store slowly: they would drain for minutes. */
const MOST_UNSTORED_BY_A_PEER = 15_000;
const DRAIN_LIMIT_MS = 180_000;

/** What a bench may want to look at while everything is still there. */
export interface Finished {
  run: Run;
  startedAt: number;
  serials: string[];
}

/** One run of one contender from an empty broker and the same database state. Throws when it cannot finish. */
export async function measure(lab: Lab, contender: Contender, options: RunOptions): Promise<Finished> {
  await contender.store.clear(lab);
  const broker = await lab.broker(contender.broker);
  let consumer: Consumer | undefined;
  let generator: Generator | undefined;
  try {
    consumer = await contender.start(lab, broker);
    const serials = lab.devices.slice(0, options.devices).map(({ serial }) => serial);
    generator = await Generator.start({
      target: { host: '127.0.0.1', port: lab.ports.mqtt },
      serials,
      logins: loginsFor(lab, contender.broker, options.devices, options.connections),
    });
    return await load(lab, contender, options.mode, { broker, consumer, generator, serials });
  } finally {
    await generator?.stop();
    await consumer?.stop();
    await broker.stop();
  }
}

interface Cast {
  broker: LabBroker;
  consumer: Consumer;
  generator: Generator;
  serials: string[];
}

async function load(lab: Lab, contender: Contender, mode: Mode, cast: Cast): Promise<Finished> {
  const { consumer, generator, serials } = cast;
  const before = usage(lab, cast);
  const throttle = holdBack(lab, contender, cast);
  const done = await generator.run(mode).finally(() => throttle.stop());
  const mb = consumer.pids().reduce((sum, pid) => sum + residentMb(pid), 0);
  await drained(lab, contender, cast, done.acked);
  const after = usage(lab, cast);
  const verdict = compareBooks(
    serials,
    done.ackedOf,
    await contender.store.devices(lab, serials, done.ackedOf),
  );
  const { last } = await contender.store.commits(lab);
  const seconds = (last - done.startedAt) / 1_000;
  const run: Run = {
    contender: contender.name,
    verdict,
    seconds,
    readings_per_s: Math.round(verdict.rows / seconds),
    cpu_s: {
      broker: after.broker - before.broker,
      consumer: after.consumer - before.consumer,
      postgres: after.postgres - before.postgres,
      generator: after.generator - before.generator,
    },
    consumer_mb: mb,
    generator_lateness_ms: done.lateness,
  };
  return { run, startedAt: done.startedAt, serials };
}

/**
 * Publishing pauses while too much waits, in the broker or (for peers that acknowledge before they store) in
 * the peer's memory. What is stored is read off Postgres' own statistics, a second old and free of charge.
 */
function holdBack(lab: Lab, contender: Contender, { broker, consumer, generator }: Cast): { stop(): void } {
  let stopped = false;
  const watch = async (): Promise<void> => {
    const before = await contender.store.inserted(lab);
    while (!stopped) {
      const inserted = (await contender.store.inserted(lab)) - before;
      const unstored = consumer.finish ? 0 : generator.progress.acked - inserted;
      const most = contender.acknowledges === 'before commit' ? MOST_UNSTORED_BY_A_PEER : MOST_WAITING;
      generator.pause((broker.waiting() ?? 0) > MOST_WAITING || unstored > most);
      await pause(200);
    }
  };
  watch().catch(() => generator.pause(false));
  return {
    stop() {
      stopped = true;
      generator.pause(false);
    },
  };
}

function usage(lab: Lab, { broker, consumer, generator }: Cast): Run['cpu_s'] {
  return {
    broker: cpuSeconds(broker.pid),
    consumer: consumer.pids().reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    postgres: lab.db.cpuSeconds,
    generator: cpuSeconds(generator.pid),
  };
}

/** Waits until everything acknowledged is committed, or until nothing moves any more: the books then say what is missing. */
async function drained(
  lab: Lab,
  contender: Contender,
  { broker, consumer }: Cast,
  wanted: number,
): Promise<void> {
  const deadline = Date.now() + DRAIN_LIMIT_MS;
  if (consumer.finish) {
    while ((broker.waiting() ?? 0) > 0 && Date.now() < deadline) await pause(100);
    // $SYS is a second old at most.
    await pause(1_100);
    await consumer.finish();
    return;
  }
  let last = -1;
  let movedAt = Date.now();
  for (;;) {
    const stored = await contender.store.count(lab);
    if (stored >= wanted) return;
    if (stored !== last) movedAt = Date.now();
    last = stored;
    if (Date.now() - movedAt > 10_000 || Date.now() > deadline) return;
    await pause(300);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
