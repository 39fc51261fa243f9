/**
 * Readings committed per second, MQTT QoS 1 to a durable Postgres: the product on both brokers and what people
 * would build instead. Contenders take turns, so that a busy minute of the machine hits all of them.
 *
 *   node dev/bench/ingest.ts [--devices 10000] [--seconds 60] [--rounds 3] [--contenders a,b] [--connections 64|devices]
 */
import { parseArgs } from 'node:util';
import { isClean } from './lab/books.ts';
import { conditionsOf } from './lab/conditions.ts';
import { DEFAULT_DATA_DIR, openLab } from './lab/lab.ts';
import { measure, type Run } from './lab/measure.ts';
import { keepResult } from './lab/results.ts';
import { say, sayRun } from './lab/say.ts';
import type { Contender } from './peers/contender.ts';
import { nodeRed } from './peers/node-red.ts';
import { oneInsert } from './peers/one-insert.ts';
import { ours } from './peers/ours.ts';
import { pipe } from './peers/pipe.ts';

const CONTENDERS: Contender[] = [ours('mosquitto'), ours('embedded'), nodeRed, oneInsert, pipe];

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '3' },
    window: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '64' },
    contenders: { type: 'string', default: CONTENDERS.map(({ name }) => name).join(',') },
    name: { type: 'string', default: 'ingest' },
    'data-dir': { type: 'string', default: DEFAULT_DATA_DIR },
    'port-base': { type: 'string', default: '21600' },
  },
});
const options = {
  devices: Number(values.devices),
  seconds: Number(values.seconds),
  rounds: Number(values.rounds),
  window: Number(values.window),
  connections: values.connections === 'devices' ? ('devices' as const) : Number(values.connections),
};
const chosen = values.contenders.split(',').map((name) => {
  const contender = CONTENDERS.find((one) => one.name === name);
  if (!contender)
    throw new Error(`There is no contender "${name}": ${CONTENDERS.map((c) => c.name).join(', ')}.`);
  return contender;
});

const lab = await openLab({
  dataDir: values['data-dir'],
  portBase: Number(values['port-base']),
  devices: options.devices,
});
const runs: Run[] = [];
try {
  for (const contender of chosen) await contender.prepare?.(lab);
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < chosen.length; turn++) {
      const contender = chosen[(turn + round) % chosen.length]!;
      const { run } = await measure(lab, contender, {
        devices: options.devices,
        connections: options.connections,
        mode: { kind: 'closed', window: options.window, seconds: options.seconds },
      });
      runs.push(run);
      sayRun(run);
    }
  }
  const contenders = chosen.map(({ name, label, does, acknowledges, broker }) => {
    const own = runs.filter((run) => run.contender === name);
    return { name, label, does, acknowledges, broker, runs: own };
  });
  keepResult(values.name, options, await conditionsOf(lab), { contenders });
} finally {
  await lab.stop();
}
const dirty = runs.filter((run) => run.contender.startsWith('ours') && !isClean(run.verdict));
for (const run of dirty) say(`${run.contender}: ${run.verdict.lost} lost, ${run.verdict.doubled} doubled`);
process.exit(dirty.length > 0 ? 1 : 0);
