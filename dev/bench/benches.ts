/** Every bench of this folder, in the order of the report. */
export const BENCHES = [
  {
    name: 'ingest',
    takes: '25 min',
    what: 'readings committed per second, the product against four ways people would build it',
  },
  {
    name: 'latency',
    takes: '4 min',
    what: 'device → committed at a fixed rate, without coordinated omission',
  },
  {
    name: 'drills',
    takes: '3 min',
    what: 'kill -9 of the bridge and immediate stops of Postgres under load: nothing lost, nothing doubled',
  },
  { name: 'card', takes: '4 min', what: 'device → text on a card in Chromium, 200 devices' },
  {
    name: 'toggle',
    takes: '2 min',
    what: 'button → device → confirmed at the socket of a screen, through the API, 200 devices',
  },
  {
    name: 'updates',
    takes: '4 min',
    what: 'firmware to 1,000 devices that fail in five ways, and a canary that crashes: everybody agrees in the end',
  },
  { name: 'https-door', takes: '2 min', what: 'the HTTPS door: single packets and batches' },
  {
    name: 'chart',
    takes: '3 min, 10 the first time',
    what: 'the chart route as an organisation administrator, and the pages row level security reads',
  },
  {
    name: 'startup',
    takes: '2 min',
    what: 'first and second start until everything answers, first live card',
  },
] as const;
