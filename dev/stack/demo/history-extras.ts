import type pg from 'pg';
import { profileOf } from './board.ts';
import { HISTORY_DAYS, historyTimes } from './history-times.ts';
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

/** When and why the boards started in the weeks before, as ingest would have noted it. */
export async function seedBoots(db: pg.Client, until: number): Promise<void> {
  for (const device of DEVICES) {
    if (device.unused) continue;
    const profile = profileOf(device);
    const last = until - (device.silentForH ?? 0) * HOUR;
    const uptimeAt = (at: number): number => Number(profile.sample(at)['uptime']);
    const boots: object[] = [];
    for (let at = last; at > until - HISTORY_DAYS * 24 * HOUR;) {
      const started = at - uptimeAt(at) * 1_000;
      const before = started - 2_000;
      boots.push({
        ...{ at: new Date(started).toISOString(), uptime: 0, reason: profile.sample(at)['reboot_reason'] },
        ...{ fw_version: profile.fwVersion, previous_uptime: uptimeAt(before) },
      });
      at = before;
    }
    await db.query(
      `select private.note_boots(jsonb_agg(b || jsonb_build_object('num', s.device_num)))
       from jsonb_array_elements($2) b, public.device_state s where s.serial = $1`,
      [device.serial, JSON.stringify(boots)],
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
