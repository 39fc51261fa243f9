import type pg from 'pg';
import { profileOf } from './board.ts';
import { historyTimes } from './history-times.ts';
import { DEVICES } from './plan.ts';

const HOUR = 3_600_000;
const BATCH = 30;

/**
 * A device that went silent long ago still shows its last values: its last readings go through the ordinary
 * ingest, which remembers when they came.
 */
export async function seedSilent(db: pg.Client, until: number): Promise<void> {
  for (const device of DEVICES) {
    if (device.silentForH === undefined) continue;
    const profile = profileOf(device);
    const last = historyTimes(device.serial, until, 5, device.silentForH).at(-1) ?? until;
    const batch = Array.from({ length: BATCH }, (_, i) => {
      const at = last + (i + 1) * 5_000;
      return { i, s: device.serial, d: profile.sample(at), r: at * 1_000, t: null, q: null };
    });
    await db.query(`select ec.ingest_telemetry($1, 'mqtt')`, [JSON.stringify(batch)]);
    await db.query(
      `update public.device_state set connected = false, connected_changed_at = $2 where serial = $1`,
      [device.serial, new Date(last + BATCH * 5_000 + 90_000)],
    );
  }
}

/** What a board with a bad cable had refused in the past weeks, so that the list of dead letters is not empty. */
export async function seedRefused(db: pg.Client, until: number): Promise<void> {
  const serial = DEVICES.find((device) => device.faults?.garble)?.serial;
  const cut = '{"temp":21.4,"hum":4';
  const items = [
    { ago: 212, reason: 'not_json', detail: 'the text ends inside a value', payload: cut },
    {
      ago: 96,
      reason: 'bad_key',
      detail: '"temp 1" is not a key: letters, digits and "_"',
      payload: '{"temp 1":21.4,"hum":48}',
    },
    { ago: 31, reason: 'not_an_object', detail: 'a packet is a JSON object', payload: '[21.4,48,612]' },
    { ago: 3, reason: 'not_json', detail: 'the text ends inside a value', payload: cut },
  ].map(({ ago, ...item }) => ({
    ...item,
    s: serial,
    door: 'mqtt',
    bytes: item.payload.length,
    r: (until - ago * HOUR) * 1_000,
  }));
  await db.query(`select ec.record_dead_letters($1)`, [JSON.stringify(items)]);
}
