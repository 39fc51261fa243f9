import type { Device, DeviceFilter, OrgOverview, RoomClimate, TelemetryBuckets } from '@edgeconductor/sdk';
import type { HistoryQuery } from '#lib/state/device-history.svelte.ts';
import { ec } from './browser.ts';

/** What pages fetch again by themselves: polling, charts, the palette. First loads come from `load`. */

export const fetchOverview = (orgId: string): Promise<OrgOverview> => ec.orgs.overview(orgId);

export const fetchDevices = async (filter: DeviceFilter): Promise<Device[]> => ec.devices.list(filter);

export const fetchDevice = (serial: string): Promise<Device> => ec.devices.get(serial);

export const fetchRoom = (id: string): Promise<RoomClimate> => ec.rooms.get(id);

export function fetchHistory(serial: string, { metrics, ...range }: HistoryQuery): Promise<TelemetryBuckets> {
  return ec.telemetry.buckets(serial, { metrics, ...range });
}
