/** Devices as row level security lets the actor see them; changes are SQL functions. */
import type { Device, DeviceListQuery, DevicePatch } from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { AppError } from '../../_shared/errors.ts';
import { decodeCursor } from './page.ts';
import type { CursorValues, Page } from './page.ts';
import { isMine, selectDevices, sortKey, statusOf } from './device-rows.ts';
import { contains } from './search.ts';

export function missing(): AppError {
  return new AppError('not_found', 'There is no such thing, or you may not see it.');
}

type Fragment = ReturnType<Db>;

export async function listDevices(db: Db, query: DeviceListQuery): Promise<Page<Device>> {
  const backwards = query.before !== undefined;
  const cursor = query.before ?? query.after;
  const descending = query.sort.startsWith('-') !== backwards;
  const key = sortKey(db, query.sort);
  const from = cursor === undefined ? db`` : afterCursor(db, key, descending, decodeCursor(cursor, 2));
  const order = descending ? db`desc` : db`asc`;
  const where = filters(db, query);
  const [rows, [count]] = await Promise.all([
    db<(Device & { sort_key: string | number })[]>`
      ${selectDevices(db, db`, ${key} as sort_key`)}
      where ${where} ${from} order by ${key} ${order}, d.serial ${order} limit ${query.limit + 1}`,
    db<{ total: number }[]>`
      select count(*) as total from public.devices d
      left join public.product_types p on p.key = d.product_type
      left join public.device_state s on s.device_num = d.num where ${where}`,
  ]);
  const more = rows.length > query.limit;
  const kept = rows.slice(0, query.limit);
  if (backwards) kept.reverse();
  const cursorOf = (row: (typeof kept)[number] | undefined): CursorValues | null =>
    row === undefined ? null : [row.sort_key, row.serial_no];
  return {
    items: kept.map(({ sort_key: _, ...device }) => device),
    next: backwards || more ? cursorOf(kept.at(-1)) : null,
    previous: (backwards ? more : cursor !== undefined) ? cursorOf(kept[0]) : null,
    total: count?.total ?? 0,
  };
}

export async function getDevice(db: Db, serial: string): Promise<Device> {
  const [device] = await db<
    Device[]
  >`${selectDevices(db, db``)} where d.serial = ${serial} and ${isMine(db)}`;
  if (device === undefined) throw missing();
  return device;
}

/** Assigns and updates in one transaction; either alone is fine too. */
export async function patchDevice(db: Db, serial: string, patch: DevicePatch): Promise<Device> {
  const { org_id, location_id, ...rest } = patch;
  if (org_id !== undefined || location_id !== undefined) {
    await assignDevice(db, serial, {
      ...(org_id && { org_id }),
      ...(location_id !== undefined && { location_id }),
    });
  }
  if (Object.keys(rest).length > 0) {
    await db`select ec.update_device(${serial}, ${JSON.stringify(rest)}::text::jsonb)`;
  }
  return getDevice(db, serial);
}

export async function assignDevice(
  db: Db,
  serial: string,
  target: { org_id?: string; location_id?: string | null },
): Promise<void> {
  await db`select ec.assign_device(${serial}, ${JSON.stringify(target)}::text::jsonb)`;
}

/** Retires it, or deletes what never lived. An active one needs `force`. */
export async function removeDevice(db: Db, serial: string, force: boolean): Promise<void> {
  await db`select ec.retire_device(${serial}, ${force})`;
}

function filters(db: Db, query: DeviceListQuery): Fragment {
  const room = query.room_id ?? query.tenant_id;
  const parts: Fragment[] = [
    isMine(db),
    query.org_id ? db`d.org_id = ${query.org_id}` : db`true`,
    room ? db`d.location_id in (${locationsBelow(db, room)})` : db`true`,
    query.product_type ? db`d.product_type = ${query.product_type}` : db`true`,
    query.fw_version ? db`d.fw_version = ${query.fw_version}` : db`true`,
    query.tag ? db`d.tags @> array[${query.tag}]::text[]` : db`true`,
    query.status ? db`${statusOf(db)} = ${query.status}` : db`true`,
    // What was retired is history: shown when asked for.
    query.lifecycle ? db`d.lifecycle = ${query.lifecycle}` : db`d.lifecycle <> 'retired'`,
  ];
  if (query.q) {
    const pattern = contains(query.q);
    parts.push(db`(d.serial ilike ${pattern} or d.name ilike ${pattern})`);
  }
  return parts.reduce((all, part) => db`${all} and ${part}`);
}

function locationsBelow(db: Db, id: string): Fragment {
  return db`
    with recursive below as (
      select l.id from public.locations l where l.id = ${id}
      union select l.id from public.locations l join below on l.parent_id = below.id
    ) select id from below`;
}

function afterCursor(db: Db, key: Fragment, descending: boolean, [value, serial]: CursorValues): Fragment {
  const cast = typeof value === 'number' ? db`${value}::float8` : db`${String(value)}::text`;
  return descending
    ? db`and (${key}, d.serial) < (${cast}, ${String(serial)}::text)`
    : db`and (${key}, d.serial) > (${cast}, ${String(serial)}::text)`;
}
