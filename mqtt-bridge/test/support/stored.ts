import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from './fleet.ts';
import { until } from './until.ts';

export interface Stored {
  rows: number;
  distinct: Set<string>;
}

/** Waits until that many packets are stored (or a minute has passed: the comparison says what is missing). */
export async function storedAtLeast(url: string, wanted: number): Promise<Stored> {
  const enough = async (): Promise<boolean> => {
    await sleep(100);
    const [row] = await sql<{ n: number }>(url, 'select count(*)::int as n from public.telemetry');
    return (row?.n ?? 0) >= wanted;
  };
  await until(enough, 'everything is stored', 60_000).catch(() => {});
  return readStored(url);
}

/** What the database holds of the packets `Load` published, as `serial n`. */
export async function readStored(url: string): Promise<Stored> {
  const rows = await sql<{ key: string }>(
    url,
    `select d.serial || ' ' || (t.data ->> 'uptime') as key
       from public.telemetry t join public.devices d on d.num = t.device_num
      where t.data ? 'uptime'`,
  );
  return { rows: rows.length, distinct: new Set(rows.map(({ key }) => key)) };
}

/** The difference between what was acknowledged to devices and what is stored; all zero when nothing went wrong. */
export function compare(
  acknowledged: Set<string>,
  stored: Stored,
): { lost: number; doubled: number; strange: number } {
  const lost = [...acknowledged].filter((key) => !stored.distinct.has(key)).length;
  const strange = [...stored.distinct].filter((key) => !acknowledged.has(key)).length;
  return { lost, doubled: stored.rows - stored.distinct.size, strange };
}
