import { BENCHES } from '../benches.ts';
import type { Result } from '../lab/results.ts';
import { toggleSection, updatesSection } from './control-sections.ts';
import * as sections from './sections.ts';

const SECTIONS: [name: string, title: string, render: (result: Result<never>) => string][] = [
  ['ingest-bar', 'Readings per second, for a minute', sections.ingestSection],
  ['ingest', 'Readings per second, against what people would build', sections.ingestSection],
  ['ingest-500', 'Readings per second, 500 devices over their own connections', sections.ingestSection],
  ['latency', 'Device to committed', sections.latencySection],
  ['drills', 'Faults under load', sections.drillsSection],
  ['card', 'Device to card', sections.cardSection],
  ['toggle', 'Button to device to screen', toggleSection],
  ['updates', 'Firmware updates of a fleet', updatesSection],
  ['https-door', 'HTTPS door', sections.httpsSection],
  ['chart', 'Charts', sections.chartSection],
  ['startup', 'Starting', sections.startupSection],
];

/** The report as Markdown; benches without a result are named as not measured. */
export function renderReport(results: ReadonlyMap<string, Result>): string {
  const measured = SECTIONS.flatMap(([name, title, render]) => {
    const result = results.get(name);
    return result ? [`## ${title}\n\n${render(result as Result<never>)}\n\n${footnote(result)}`] : [];
  });
  const missing = BENCHES.filter(({ name }) => !results.has(name)).map(({ name }) => name);
  return (
    [
      '# Measured',
      intro(results),
      ...measured,
      ...(missing.length > 0 ? [`Not measured yet: ${missing.join(', ')}.`] : []),
      method(),
    ].join('\n\n') + '\n'
  );
}

function intro(results: ReadonlyMap<string, Result>): string {
  const [any] = results.values();
  if (!any) return 'Nothing was measured yet. `npm run bench` says what there is.';
  const { cpu, cores, memory_gib, system, node } = any.machine;
  const busy = [...results.values()].filter(({ load_before }) => load_before > 1.5).map(({ bench }) => bench);
  const caution =
    busy.length === 0
      ? ''
      : `\n\n**Measured on a busy machine**: ${busy.join(', ')}. Other work competed for the cores (the load average before each run stands under its table), so these rates are too low and these times too long. What was lost or doubled holds all the same. Repeat them on a quiet machine.`;
  return `Written by \`node dev/bench/report.ts\` from the files in \`results/\`; \`npm run bench\` lists the benches.

Machine: ${cores} cores of ${cpu}, ${memory_gib} GiB, ${system}, Node ${node.slice(1)}. Load generator, broker, bridge, database and, where there is one, the browser share these cores, so read the numbers as what one small machine does in total.${caution}`;
}

function footnote(result: Result): string {
  const conditions = Object.entries(result.conditions)
    .map(([name, value]) => `${name} ${value}`)
    .join(' · ');
  const busy = `load average before: ${result.load_before}`;
  return `<sub>${[result.at, busy, conditions].filter(Boolean).join(' · ')}</sub>`;
}

function method(): string {
  return `## Method

- **Correct first.** After every run each reading's counter (\`uptime\` of the page's packet, which carries neither ts nor seq) is compared with the generator's books per device: what a broker acknowledged must be in exactly one row. Only then is speed computed.
- **The same for everybody.** Contenders get the product's own mosquitto.conf, the same payload bytes, QoS 1, durable sessions and one Postgres with the settings under each table; fsync, synchronous_commit and full_page_writes are on. Each run starts with an empty broker and freshly cleared tables, and contenders take turns.
- **Ours does more**: deduplication, current state, reported shadow, the 29-reading windows with deviations and the roll-up work list are in the same transaction. The peers store a body and nothing else, and acknowledge before anything is committed.
- **Publishers.** On Mosquitto, 64 connections of bench users that may publish for many devices (\`--connections devices\` gives every device its own, as in the field). The embedded broker admits devices only, so there every device has its own connection and secret.
- **Latency without coordinated omission.** Open-loop latency counts from the moment a reading was due.
- What each broker may lose, and when, is written in \`mqtt-bridge/README.md\`.`;
}
