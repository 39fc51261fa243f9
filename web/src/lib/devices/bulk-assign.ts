import type { BulkAssignItem, BulkAssignReply, Device } from '@edgeconductor/sdk';
import { toProblem } from '#lib/problem.ts';

/** What the API takes in one call. */
const PER_CALL = 500;

type Assign = (serials: string[]) => Promise<BulkAssignReply>;

/**
 * Assigns any number of devices, and answers for every single one: a call that fails as a whole counts as a failure
 * of each device in it, and the calls before it stay done.
 */
export async function assignAll(
  serials: readonly string[],
  assign: Assign,
  onprogress: (done: number) => void = () => {},
): Promise<BulkAssignItem[]> {
  const results: BulkAssignItem[] = [];
  for (let i = 0; i < serials.length; i += PER_CALL) {
    const chunk = serials.slice(i, i + PER_CALL);
    try {
      results.push(...(await assign(chunk)).results);
    } catch (cause) {
      const { code, title, detail } = toProblem(cause);
      const error = {
        code: code === 'unreachable' ? ('unavailable' as const) : code,
        detail: detail ?? title,
      };
      results.push(...chunk.map((serial) => ({ serial, ok: false, error })));
    }
    onprogress(results.length);
  }
  return results;
}

/** Where the moved ones stood before: room (null = none) → serials. */
export function placesBefore(
  devices: readonly Pick<Device, 'serial_no' | 'location_id'>[],
  results: readonly BulkAssignItem[],
): Map<string | null, string[]> {
  const moved = new Set(results.filter(({ ok }) => ok).map(({ serial }) => serial));
  const places = new Map<string | null, string[]>();
  for (const { serial_no, location_id } of devices) {
    if (!moved.has(serial_no)) continue;
    places.set(location_id, [...(places.get(location_id) ?? []), serial_no]);
  }
  return places;
}
