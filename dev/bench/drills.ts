/**
 * Faults under load: the bridge is killed (SIGKILL) again and again, then Postgres is stopped without a
 * checkpoint, while readings keep coming. Afterwards every acknowledged reading must be stored exactly once.
 *
 *   node dev/bench/drills.ts [--kills 10] [--crashes 3] [--rate 2000] [--devices 10000] [--broker mosquitto]
 */
import { compareBooks, isClean, type Verdict } from './lab/books.ts';
import type { BrokerKind } from './lab/broker.ts';
import { conditionsOf } from './lab/conditions.ts';
import { openLab, type Lab } from './lab/lab.ts';
import { loginsFor } from './lab/logins.ts';
import { benchOptions } from './lab/options.ts';
import { keepResult } from './lab/results.ts';
import { say } from './lab/say.ts';
import { Generator } from './load/driver.ts';
import { oursStore } from './peers/ours.ts';

const { common, own } = benchOptions('drills', {
  kills: 10,
  crashes: 3,
  rate: 2_000,
  devices: 10_000,
  broker: 'mosquitto',
});

interface Drill {
  what: string;
  times: number;
  verdict: Verdict;
  /** From the last fault to the moment everything acknowledged was stored, s. */
  recovered_s: number;
}

const lab = await openLab({ dataDir: common.dataDir, portBase: common.portBase, devices: own.devices });
const drills: Drill[] = [];
try {
  drills.push(await drill(lab, 'kill -9 of the bridge', own.kills, killBridge));
  drills.push(await drill(lab, 'pg_ctl stop -m immediate', own.crashes, crashDatabase));
  keepResult(common.name, own, await conditionsOf(lab), { drills });
} finally {
  await lab.stop();
}
process.exit(drills.every(({ verdict }) => isClean(verdict)) ? 0 : 1);

type Bridge = Awaited<ReturnType<Lab['bridge']>>;

async function drill(
  lab: Lab,
  what: string,
  times: number,
  fault: (lab: Lab, bridge: Bridge) => Promise<Bridge>,
): Promise<Drill> {
  await oursStore.clear(lab);
  const broker = await lab.broker(own.broker as BrokerKind);
  let bridge = await lab.bridge();
  const serials = lab.devices.slice(0, own.devices).map(({ serial }) => serial);
  const generator = await Generator.start({
    target: { host: '127.0.0.1', port: lab.ports.mqtt },
    serials,
    logins: loginsFor(lab, broker.kind, own.devices, 64),
  });
  try {
    // Until told: a fault after the load has ended would prove nothing.
    const load = generator.run({ kind: 'open', rate: own.rate, seconds: 3_600 });
    for (let n = 1; n <= times; n++) {
      // At no particular moment: anywhere in a batch, a commit or an acknowledgement.
      await rest(3_000 + Math.random() * 3_000);
      const before = generator.progress.sent;
      bridge = await fault(lab, bridge);
      if (generator.progress.sent <= before) throw new Error('no load during the fault');
      say(`${what}, ${n} of ${times}: ${generator.progress.acked} acknowledged so far`);
    }
    const faultAt = Date.now();
    await rest(5_000);
    generator.finish();
    const done = await load;
    while ((await oursStore.count(lab)) < done.acked && Date.now() - faultAt < 180_000) await rest(200);
    const verdict = compareBooks(serials, done.ackedOf, await oursStore.devices(lab, serials, done.ackedOf));
    const { last } = await oursStore.commits(lab);
    const recovered_s = Math.round(Math.max(0, last - faultAt) / 100) / 10;
    say(`${what} × ${times}: ${verdict.rows} stored, ${verdict.lost} lost, ${verdict.doubled} doubled`);
    return { what, times, verdict, recovered_s };
  } finally {
    await generator.stop();
    await bridge.stop();
    await broker.stop();
  }
}

/** The supervisor of a real deployment starts it again at once. */
async function killBridge(lab: Lab, bridge: Bridge): Promise<Bridge> {
  process.kill(bridge.pid, 'SIGKILL');
  await bridge.exited;
  return lab.bridge();
}

async function crashDatabase(lab: Lab, bridge: Bridge): Promise<Bridge> {
  await lab.db.crash();
  await lab.db.resume();
  return bridge.isRunning() ? bridge : lab.bridge();
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
