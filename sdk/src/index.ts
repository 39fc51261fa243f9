/** @edgeconductor/sdk: typed client of the EdgeConductor API. Types of the wire come from the contract. */
export { EdgeConductor } from './client.ts';
export * from './errors.ts';
export { List } from './pagination.ts';
export type { Page } from './pagination.ts';
export type { ClientOptions, RequestOptions } from './request.ts';
export type { CommandFilter } from './resources/commands.ts';
export type { DesiredOptions, DeviceFilter } from './resources/devices.ts';
export type { InvitationFilter, MemberFilter } from './resources/people.ts';
export type { AuditFilter, DeadLetterFilter } from './resources/records.ts';
export type { HistoryOptions, StreamOptions } from './resources/telemetry.ts';
export type * from './contract/mod.ts';
