/**
 * The HTTPS door: requests per second with one packet each, and readings per second in batches, by real device
 * secrets over keep-alive connections; through the stack's gateway and straight at the function.
 *
 *   node dev/bench/https-door.ts [--devices 2000] [--connections 64] [--batch 100] [--seconds 15]
 */
import { join } from 'node:path';
import { freshState, labDevices, type LabDevice } from './lab/devices.ts';
import { benchOptions } from './lab/options.ts';
import { percentiles, type Percentiles } from './lab/percentiles.ts';
import { startProduct, type Product } from './lab/product.ts';
import { keepResult } from './lab/results.ts';
import { say } from './lab/say.ts';
import { payload } from './load/frames.ts';
import { HttpLoad } from './load/http.ts';

const { common, own } = benchOptions('https-door', {
  devices: 2_000,
  connections: 64,
  batch: 100,
  seconds: 15,
});

/** Batches carry device time: a second apart, newer than the state every run starts from, and never twice. */
const BATCH_EPOCH = Date.now() - 20 * 3_600_000;

interface Row {
  door: string;
  packets_per_request: number;
  requests_per_s: number;
  readings_per_s: number;
  ms: Percentiles;
  refused: number;
  stored: number;
  sent: number;
}

const product = await startProduct({
  dataDir: join(common.dataDir, 'stack'),
  portBase: common.portBase,
  only: ['api'],
  // The limit of 60 requests a minute and device stays out of the way of what is measured.
  env: { EC_DEVICE_REQUESTS_PER_MINUTE: '100000000' },
});
const rows: Row[] = [];
try {
  const devices = await labDevices(product, own.devices);
  const doors = {
    gateway: product.facts.api_url!,
    'straight at the function': `http://127.0.0.1:${common.portBase + 3}/api`,
  };
  for (const [door, url] of Object.entries(doors))
    for (const packets of [1, own.batch]) {
      const row = await load(product, devices, door, url, packets);
      rows.push(row);
      say(
        `${door}, ${packets} a request: ${row.requests_per_s} requests/s, ${row.readings_per_s} readings/s, ` +
          `p99 ${row.ms.p99} ms, ${row.stored} stored of ${row.sent}`,
      );
    }
  keepResult(common.name, own, await product.conditions(), { rows });
} finally {
  await product.stop();
}
process.exit(rows.every(({ stored, sent, refused }) => stored === sent && refused === 0) ? 0 : 1);

async function load(
  product: Product,
  devices: LabDevice[],
  door: string,
  url: string,
  packets: number,
): Promise<Row> {
  await freshState(product);
  const http = new HttpLoad(url, own.connections);
  const counters = new Int32Array(devices.length);
  const times: number[] = [];
  let refused = 0;
  let turn = 0;
  const began = performance.now();
  const until = began + own.seconds * 1_000;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      const index = turn++ % devices.length;
      const device = devices[index]!;
      const body = bodyOf(index, counters, packets);
      const sentAt = performance.now();
      const { status } = await http.send('POST', `/devices/${device.serial}/telemetry`, device.secret, body);
      times.push(performance.now() - sentAt);
      if (status !== 200) refused++;
    }
  };
  await Promise.all(Array.from({ length: own.connections }, worker));
  const seconds = (performance.now() - began) / 1_000;
  http.close();
  const { rows: counted } = await product.query<{ n: string }>(
    `select count(distinct (device_num, data ->> 'uptime')) as n from public.telemetry`,
  );
  return {
    door,
    packets_per_request: packets,
    requests_per_s: Math.round(times.length / seconds),
    readings_per_s: Math.round((times.length * packets) / seconds),
    ms: percentiles(times),
    refused,
    stored: Number(counted[0]!.n),
    sent: times.length * packets,
  };
}

/** The page's packet, or a batch of packets with the times a device would have kept for them. */
function bodyOf(index: number, counters: Int32Array, packets: number): string {
  if (packets === 1) return payload(index, ++counters[index]!);
  const items = Array.from({ length: packets }, () => {
    const counter = ++counters[index]!;
    return `${payload(index, counter).slice(0, -1)},"ts":${BATCH_EPOCH + counter * 1_000}}`;
  });
  return `[${items.join(',')}]`;
}
