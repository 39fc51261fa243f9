import type { Product } from './product.ts';
import { labDevices } from './devices.ts';
import { say } from './say.ts';

/** Devices with a week of readings every 5 s, and devices that only fill the tables around them. */
export const DENSE = 60;
export const SPARSE = 940;

/**
 * 60 devices × 7 days × 5 s (7.3 million readings) and 940 × 30 minutes × 5 s, with their roll-ups, in the org
 * "Bench". Takes minutes the first time; what is there and fresh is kept.
 */
export async function ensureChartData(product: Product): Promise<string[]> {
  const devices = await labDevices(product, DENSE + SPARSE);
  const serials = devices.map(({ serial }) => serial);
  const { rows } = await product.query<{ n: string }>(
    `select count(*) as n from public.telemetry t join public.device_state s using (device_num)
     where s.serial = $1 and t.ts > now() - interval '7 days'`,
    [serials[0]],
  );
  // A day-old data set still fills the week but its newest day; a new one is made when it is older.
  if (Number(rows[0]!.n) < 100_000) await makeChartData(product, serials);
  return serials.slice(0, DENSE);
}

async function makeChartData(product: Product, serials: string[]): Promise<void> {
  say('making 8 million readings; this takes some minutes once');
  await product.query(
    'truncate public.telemetry, public.rollups_1m, public.rollups_5m, public.rollups_15m, public.rollups_1h, public.rollups_1d, ec.ingest_log, ec.rollup_pending',
  );
  await product.query(`select ec.ensure_partitions(now())`);
  await insertReadings(product, serials.slice(0, DENSE), '7 days');
  await insertReadings(product, serials.slice(DENSE), '30 minutes');
  await product.query('analyze public.telemetry');
  say('rolling them up');
  for (let from = 0; from < serials.length; from += 20)
    await product.query(
      `select ec.rebuild_rollups(array_agg(device_num), now() - interval '7 days', now())
       from public.device_state where serial = any ($1::text[])`,
      [serials.slice(from, from + 20)],
    );
  await product.query(`select ec.run_rollups(now())`);
  await product.query('analyze');
}

async function insertReadings(product: Product, serials: string[], span: string): Promise<void> {
  for (const serial of serials)
    await product.query(
      `insert into public.telemetry (device_num, ts, received_at, org_num, tenure_id, data)
       select s.device_num, at, at, s.org_num, s.tenure_id, jsonb_build_object(
         'temp', round((22 + 2 * sin(x / 13751) + 0.2 * sin(x / 37))::numeric, 1),
         'hum', round((52 + 6 * sin(x / 17280) + sin(x / 71))::numeric, 0),
         'co2', round((780 + 310 * sin(x / 9211) + 12 * sin(x / 19))::numeric, 0),
         'relay', sin(x / 9211) > 0.5, 'bat', 4.05, 'signal', -61 + (x::int % 7),
         'uptime', (extract(epoch from at)::bigint % 900000), 'heap', 186432 + (x::int % 64) * 16)
       from public.device_state s,
         generate_series(now() - $2::interval, now() - interval '5 seconds', interval '5 seconds') with ordinality g (at, n),
         lateral (select g.n::float8 + s.device_num * 97 as x) p
       where s.serial = $1
       on conflict do nothing`,
      [serial, span],
    );
}
