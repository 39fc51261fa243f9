import type {
  Device,
  DeviceDiagnostics,
  DeviceFilter,
  OrgOverview,
  RoomClimate,
  TelemetryBuckets,
} from '@edgeconductor/sdk';
import type { HistoryQuery } from '#lib/state/device-history.svelte.ts';
import type { DiagnosticsRange } from '#lib/state/diagnostics-live.svelte.ts';
import { ec } from './browser.ts';

/** What pages fetch again by themselves: polling, charts, the palette. First loads come from `load`. */

export const fetchOverview = (orgId: string): Promise<OrgOverview> => ec.orgs.overview(orgId);

export const fetchDevices = async (filter: DeviceFilter): Promise<Device[]> => ec.devices.list(filter);

export const fetchDevice = (serial: string): Promise<Device> => ec.devices.get(serial);

export const fetchDiagnostics = (serial: string, hours: DiagnosticsRange): Promise<DeviceDiagnostics> =>
  ec.devices.diagnostics(serial, { hours });

export const fetchRoom = (id: string): Promise<RoomClimate> => ec.rooms.get(id);

export const fetchRoomDay = (id: string): Promise<TelemetryBuckets> => ec.rooms.climate(id, { hours: 24 });

export function fetchHistory(serial: string, query: HistoryQuery): Promise<TelemetryBuckets> {
  const iso = (at: number) => new Date(at).toISOString();
  const range = 'hours' in query ? { hours: query.hours } : { from: iso(query.from), to: iso(query.to) };
  return ec.telemetry.buckets(serial, { metrics: query.metrics, ...range });
}
