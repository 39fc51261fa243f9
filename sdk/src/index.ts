/** @edgeconductor/sdk: typed client of the EdgeConductor API. Types of the wire come from the contract. */
export { EdgeConductor } from './client.ts';
export * from './errors.ts';
// Pure, so that a browser can look into a file before it uploads it, without zod.
export { ESP_CHIPS, ESP_HEADER_BYTES, isEspRefusal, readEspHeader } from './contract/esp-image.ts';
// Likewise: live values are read by the same scales as stored ones.
export { batteryPercent, signalBars } from './contract/health-scale.ts';
export { List } from './pagination.ts';
export type { Page } from './pagination.ts';
export type { ClientOptions, RequestOptions } from './request.ts';
export type { CommandFilter } from './resources/commands.ts';
export type { DesiredOptions, DeviceFilter } from './resources/devices.ts';
export type { FirmwareFile, FirmwareFilter } from './resources/firmware.ts';
export type { OtaJobDeviceFilter, OtaJobFilter } from './resources/ota-jobs.ts';
export type { NotificationFilter } from './resources/notifications.ts';
export type { InvitationFilter, MemberFilter } from './resources/people.ts';
export type { AuditFilter, DeadLetterFilter } from './resources/records.ts';
export type { HistoryOptions, StreamOptions } from './resources/telemetry.ts';
export type * from './contract/mod.ts';
