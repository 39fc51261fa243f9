/**
 * Device → committed: readings are sent by the clock, and each one's latency runs from the moment it was due
 * to the commit of its transaction, however late the generator, the broker or the bridge was.
 *
 *   node dev/bench/latency.ts [--rates 1000,3000,5000] [--seconds 30] [--devices 10000] [--broker mosquitto]
 */
import { isClean, type Verdict } from './lab/books.ts';
import type { BrokerKind } from './lab/broker.ts';
import { conditionsOf } from './lab/conditions.ts';
import { openLab, type Lab } from './lab/lab.ts';
import { measure } from './lab/measure.ts';
import { benchOptions } from './lab/options.ts';
import { percentiles, type Percentiles } from './lab/percentiles.ts';
import { keepResult } from './lab/results.ts';
import { say } from './lab/say.ts';
import { ours } from './peers/ours.ts';

/** Not counted: the first seconds hold connecting caches and plans that a running system has behind it. */
const WARM_UP_S = 3;

const { common, own } = benchOptions('latency', {
  rates: '1000,3000,5000',
  seconds: 30,
  devices: 10_000,
  broker: 'mosquitto',
});

const lab = await openLab({ dataDir: common.dataDir, portBase: common.portBase, devices: own.devices });
const rows: { rate: number; ms: Percentiles; verdict: Verdict; generator_ms: Percentiles['p99'] }[] = [];
let flush: Percentiles;
try {
  for (const rate of own.rates.split(',').map(Number)) {
    const { run, startedAt, serials } = await measure(lab, ours(own.broker as BrokerKind), {
      devices: own.devices,
      connections: 64,
      mode: { kind: 'open', rate, seconds: own.seconds },
    });
    const ms = await commitLatency(lab, rate, serials, startedAt);
    rows.push({ rate, ms, verdict: run.verdict, generator_ms: run.generator_lateness_ms.p99 });
    say(
      `${rate}/s: p50 ${ms.p50} ms, p99 ${ms.p99} ms, max ${ms.max} ms; ${run.verdict.lost} lost, ${run.verdict.doubled} doubled`,
    );
  }
  flush = await flushTime(lab);
  keepResult(common.name, own, await conditionsOf(lab), { rows, flush_ms: flush, warm_up_s: WARM_UP_S });
} finally {
  await lab.stop();
}
process.exit(rows.every(({ verdict }) => isClean(verdict)) ? 0 : 1);

/** Reading n of device i was due at (n − 1) · devices + i of the schedule; its row knows its transaction's commit. */
async function commitLatency(
  lab: Lab,
  rate: number,
  serials: string[],
  startedAt: number,
): Promise<Percentiles> {
  const { rows: found } = await lab.db.query<{ ms: number }>(
    `with commits as materialized (
       select x, extract(epoch from pg_xact_commit_timestamp(x)) * 1000 as at
       from (select distinct xmin as x from public.telemetry) d
     )
     select (c.at - $3 - (((t.data ->> 'uptime')::int - 1) * $2::float8 + d.i - 1) / $1 * 1000)::float8 as ms
     from public.telemetry t
     join commits c on c.x = t.xmin
     join public.device_state s using (device_num)
     join unnest($4::text[]) with ordinality d (serial, i) on d.serial = s.serial
     where ((t.data ->> 'uptime')::int - 1) * $2::float8 + d.i - 1 >= $5 * $1`,
    [rate, serials.length, startedAt, serials, WARM_UP_S],
  );
  return percentiles(found.map(({ ms }) => ms));
}

/** Postgres takes the commit time just before it flushes the log: how long that takes is measured apart. */
async function flushTime(lab: Lab): Promise<Percentiles> {
  await lab.db.query('create table if not exists public.bench_flush (n int)');
  const times: number[] = [];
  for (let n = 0; n < 300; n++) {
    const began = performance.now();
    await lab.db.query('insert into public.bench_flush values ($1)', [n]);
    times.push(performance.now() - began);
  }
  return percentiles(times);
}
