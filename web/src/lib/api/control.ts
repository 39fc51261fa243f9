import type { Command, CommandCreateInput, DeviceShadow, ShadowChange } from '@edgeconductor/sdk';
import type { LogPage } from '#lib/state/paged-log.svelte.ts';
import { ec } from './browser.ts';

/** What pages do to a device, and what they fetch again about that. */

export const changeDesired = (
  serial: string,
  patch: Record<string, unknown>,
  ifVersion: number,
): Promise<DeviceShadow> => ec.devices.setDesired(serial, patch, { ifVersion });

export const fetchChanges = (
  serial: string,
  limit: number,
  after: string | null,
): Promise<LogPage<ShadowChange>> =>
  ec.devices.shadowHistory(serial, { limit, ...(after !== null && { after }) }).page();

export const fetchCommands = (
  serial: string,
  limit: number,
  after: string | null,
): Promise<LogPage<Command>> => ec.commands.list(serial, { limit, ...(after !== null && { after }) }).page();

export const fetchCommand = (serial: string, id: string): Promise<Command> => ec.commands.get(serial, id);

export const sendCommand = (serial: string, command: CommandCreateInput): Promise<Command> =>
  ec.commands.send(serial, command);

export const cancelCommand = (serial: string, id: string): Promise<void> => ec.commands.cancel(serial, id);

export const rebootDevice = (serial: string): Promise<Command> => ec.devices.reboot(serial);
