import type { Verdict } from '../lab/books.ts';
import type { ReadCost } from '../lab/explain.ts';
import type { Run } from '../lab/measure.ts';
import type { Percentiles } from '../lab/percentiles.ts';
import type { Result } from '../lab/results.ts';
import { median, range, table, whole } from './table.ts';

/** What the benches keep; each section below knows one of them. */
interface Contenders {
  contenders: { name: string; label: string; does: string; acknowledges: string; runs: Run[] }[];
}

export function ingestSection({ data, options }: Result<Contenders>): string {
  const rows = data.contenders.map(({ label, acknowledges, runs }) => {
    const rates = runs.map((run) => run.readings_per_s);
    const busy = (part: keyof Run['cpu_s']): string =>
      `${Math.round(median(runs.map((run) => (100 * run.cpu_s[part]) / run.seconds)))} %`;
    return [
      label,
      whole(median(rates)),
      range(rates),
      sum(runs, 'lost'),
      sum(runs, 'doubled'),
      acknowledges,
      whole(median(runs.map(cpuPerReading))),
      busy('consumer'),
      busy('postgres'),
      busy('broker'),
    ];
  });
  const does = data.contenders.map(({ label, does }) => `- **${label}**: ${does}.`).join('\n');
  return `${whole(Number(options['devices']))} devices in turn, ${String(options['seconds'])} s a run, ${String(options['rounds'])} rounds, contenders taking turns; publishing pauses while more than 60,000 readings wait in Mosquitto. Median over the rounds, from the first publish to the commit of the last reading.

${table(['', 'readings/s', 'range', 'lost', 'doubled', 'acknowledges', 'CPU µs a reading', 'CPU bridge', 'CPU Postgres', 'CPU broker'], rows)}

${does}

"Lost" counts readings the broker acknowledged to the device and that are in no row; "doubled" rows that repeat a reading. CPU is of one core; "CPU µs a reading" adds up broker, bridge and Postgres and is the number to compare when the machine was busy with other things (see the load average).`;
}

interface Latency {
  rows: { rate: number; ms: Percentiles; verdict: Verdict; generator_ms: number }[];
  flush_ms: Percentiles;
}

export function latencySection({ data, options }: Result<Latency>): string {
  const rows = data.rows.map(({ rate, ms, verdict, generator_ms }) => [
    `${whole(rate)}/s`,
    `${ms.p50} ms`,
    `${ms.p95} ms`,
    `${ms.p99} ms`,
    `${ms.max} ms`,
    verdict.lost,
    verdict.doubled,
    `${generator_ms.toFixed(1)} ms`,
  ]);
  return `Open loop: readings are due by the clock and latency counts from then, whoever was late; ${whole(Number(options['devices']))} devices, ${String(options['broker'])}, ${String(options['seconds'])} s a rate. The end is the commit time Postgres notes, just before it flushes its log; a flush alone took p50 ${data.flush_ms.p50} ms, p99 ${data.flush_ms.p99} ms.

${table(['rate', 'p50', 'p95', 'p99', 'max', 'lost', 'doubled', 'generator late, p99'], rows)}`;
}

interface Drills {
  drills: { what: string; times: number; verdict: Verdict; recovered_s: number }[];
}

export function drillsSection({ data, options }: Result<Drills>): string {
  const rows = data.drills.map(({ what, times, verdict, recovered_s }) => [
    what,
    times,
    whole(verdict.acknowledged),
    whole(verdict.rows),
    verdict.lost,
    verdict.doubled,
    `${recovered_s} s`,
  ]);
  return `At ${whole(Number(options['rate']))} readings/s (${String(options['broker'])}), page payload without ts or seq, faults at random moments; the bridge is started again as a supervisor would. The last column is the time from the last fault until everything acknowledged was stored, the rest of the load included.

${table(['fault', 'times', 'acknowledged', 'stored', 'lost', 'doubled', 'caught up after'], rows)}`;
}

interface Cards {
  views: { view: string; shown: number; missed: number; ms: Percentiles }[];
}

export function cardSection({ data, options }: Result<Cards>): string {
  const rows = data.views.map(({ view, shown, missed, ms }) => [
    view,
    whole(shown),
    missed,
    `${ms.p50} ms`,
    `${ms.p95} ms`,
    `${ms.p99} ms`,
    `${ms.max} ms`,
  ]);
  return `${String(options['devices'])} devices at their 5-second beat on the whole local stack (embedded broker, bridge, Realtime, web server) with Chromium on the same cores. From the moment a reading was due to its value in the page's text. An org's page gets at most two messages a second, so a reading waits up to half a second there by design.

${table(['view', 'readings seen', 'not seen', 'p50', 'p95', 'p99', 'max'], rows)}`;
}

interface HttpsDoor {
  rows: {
    door: string;
    packets_per_request: number;
    requests_per_s: number;
    readings_per_s: number;
    ms: Percentiles;
    refused: number;
    stored: number;
    sent: number;
  }[];
}

export function httpsSection({ data, options }: Result<HttpsDoor>): string {
  const rows = data.rows.map((row) => [
    row.door,
    row.packets_per_request,
    whole(row.requests_per_s),
    whole(row.readings_per_s),
    `${row.ms.p50} ms`,
    `${row.ms.p99} ms`,
    row.sent - row.stored,
  ]);
  return `${whole(Number(options['devices']))} devices with their own secrets over ${String(options['connections'])} keep-alive connections; the client shares the cores. Everything answered is in the database.

${table(['through', 'packets a request', 'requests/s', 'readings/s', 'p50', 'p99', 'missing'], rows)}`;
}

interface Charts {
  rows: { hours: number; door: string; ms: Percentiles; points: number; kilobytes: number }[];
  reads: ReadCost[];
}

export function chartSection({ data }: Result<Charts>): string {
  const rows = data.rows.map(({ hours, door, ms, points, kilobytes }) => [
    `${hours} h`,
    door,
    `${ms.p50} ms`,
    `${ms.p95} ms`,
    `${ms.p99} ms`,
    points,
    `${kilobytes} kB`,
  ]);
  const reads = data.reads.map((read) => [
    read.what,
    whole(read.buffers_plain),
    whole(read.buffers_rls),
    read.ratio,
    read.init_plan ? 'yes' : 'no',
    `${read.ms_plain} ms`,
    `${read.ms_rls} ms`,
  ]);
  return `60 devices × 7 days × 5 s and 940 × 30 minutes stored. \`GET /devices/:serial/telemetry?buckets=auto\`, all metrics of a device, over HTTP, one request at a time, signed in as org_admin.

${table(['range', 'through', 'p50', 'p95', 'p99', 'points a series', 'answer'], rows)}

Pages the reads behind a chart touch, with the policies of the user and without any:

${table(['read', 'pages without RLS', 'with RLS', 'ratio', 'policy is an InitPlan', 'time without', 'with'], reads)}`;
}

interface Startup {
  steps: Record<string, Percentiles>;
}

export function startupSection({ data }: Result<Startup>): string {
  const rows = Object.entries(data.steps).map(([step, { p50, max, n }]) => [step, `${p50} s`, `${max} s`, n]);
  return `The machine form, from the command to its line (installed packages, built nothing yet the first time). The first start waits for the demo's two weeks of history; the devices are live before.

${table(['', 'median', 'slowest', 'starts'], rows)}`;
}

/** Broker, consumer and Postgres; the generator is the devices' business. */
function cpuPerReading({ cpu_s, verdict }: Run): number {
  return verdict.rows === 0 ? 0 : ((cpu_s.broker + cpu_s.consumer + cpu_s.postgres) / verdict.rows) * 1e6;
}

function sum(runs: readonly Run[], key: 'lost' | 'doubled'): number {
  return runs.reduce((total, run) => total + run.verdict[key], 0);
}
