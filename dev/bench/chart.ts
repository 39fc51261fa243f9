/**
 * The chart route over HTTP as an organisation's administrator, with a week of 5-second readings of 60 devices
 * stored beside 940 others; and what row level security costs in pages read.
 *
 *   node dev/bench/chart.ts [--requests 200] [--concurrency 1]
 */
import { join } from 'node:path';
import { ApiSession } from '../stack/demo/api.ts';
import { ADMINISTRATOR, ensureAdministrator } from './lab/administrator.ts';
import { ensureChartData } from './lab/chart-data.ts';
import { explainReads, type ReadCost } from './lab/explain.ts';
import { benchOptions } from './lab/options.ts';
import { percentiles, type Percentiles } from './lab/percentiles.ts';
import { startProduct } from './lab/product.ts';
import { keepResult } from './lab/results.ts';
import { say } from './lab/say.ts';
import { HttpLoad } from './load/http.ts';

const RANGES = [168, 24, 6, 1];

const { common, own } = benchOptions('chart', { requests: 200, concurrency: 1 });

interface Row {
  hours: number;
  door: string;
  ms: Percentiles;
  /** The longest series of all answers. */
  points: number;
  kilobytes: number;
}

const product = await startProduct({
  dataDir: join(common.dataDir, 'stack'),
  portBase: common.portBase,
  only: ['api'],
});
const rows: Row[] = [];
let reads: ReadCost[] = [];
try {
  const serials = await ensureChartData(product);
  const userId = await ensureAdministrator(product);
  const session = await ApiSession.signIn(
    {
      api_url: product.facts.api_url!,
      supabase_url: product.facts.supabase_url!,
      publishable_key: product.facts.publishable_key,
    },
    ADMINISTRATOR.email,
    ADMINISTRATOR.password,
  );
  const doors = {
    gateway: product.facts.api_url!,
    'straight at the function': `http://127.0.0.1:${common.portBase + 3}/api`,
  };
  for (const [door, url] of Object.entries(doors))
    for (const hours of RANGES) {
      const row = await ask(door, url, session.token, serials, hours);
      rows.push(row);
      say(
        `${door}, ${hours} h: p50 ${row.ms.p50} ms, p95 ${row.ms.p95} ms, ${row.points} points, ${row.kilobytes} kB`,
      );
    }
  reads = await explainReads(product, serials[7]!, userId);
  for (const read of reads)
    say(
      `${read.what}: ${read.buffers_rls} pages with RLS, ${read.buffers_plain} without (× ${read.ratio}), InitPlan: ${read.init_plan}`,
    );
  keepResult(common.name, own, await product.conditions(), { rows, reads });
} finally {
  await product.stop();
}

async function ask(door: string, url: string, token: string, serials: string[], hours: number): Promise<Row> {
  const http = new HttpLoad(url, own.concurrency);
  const times: number[] = [];
  let points = 0;
  let kilobytes = 0;
  let turn = 0;
  const one = async (counted: boolean): Promise<void> => {
    const serial = serials[turn++ % serials.length]!;
    const began = performance.now();
    const { status, body } = await http.send(
      'GET',
      `/devices/${serial}/telemetry?hours=${hours}&buckets=auto`,
      token,
    );
    if (status !== 200) throw new Error(`GET telemetry: ${status} ${body.slice(0, 200)}`);
    if (!counted) return;
    times.push(performance.now() - began);
    kilobytes = Math.max(kilobytes, Math.round(body.length / 102.4) / 10);
    const { series } = JSON.parse(body) as { series: Record<string, (number[] | null)[]> };
    for (const line of Object.values(series)) points = Math.max(points, line.filter(Boolean).length);
  };
  for (let n = 0; n < 20; n++) await one(false);
  const worker = async (): Promise<void> => {
    while (times.length < own.requests) await one(true);
  };
  await Promise.all(Array.from({ length: own.concurrency }, worker));
  http.close();
  return { hours, door, ms: percentiles(times), points, kilobytes };
}
