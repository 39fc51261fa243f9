/** Commands to one device: sent once, answered by the device, or expired. */
import { MAX_COMMAND_BYTES } from '@edgeconductor/sdk/contract';
import type {
  Command,
  CommandAck,
  CommandAcknowledged,
  CommandCreate,
  CommandListQuery,
} from '@edgeconductor/sdk/contract';
import type { Db } from '../../_shared/db.ts';
import { AppError } from '../../_shared/errors.ts';
import { isMine } from './device-rows.ts';
import { missing } from './devices.ts';
import { cutPage, decodeCursor } from './page.ts';
import type { Page } from './page.ts';

type Fragment = ReturnType<Db>;

/** Queues it; a device that is there gets it at once, another one when it is back, nobody after its end. */
export async function sendCommand(db: Db, serial: string, command: CommandCreate): Promise<Command> {
  const payload = command.payload === undefined ? null : JSON.stringify(command.payload);
  const size = payload === null ? 0 : new TextEncoder().encode(payload).length;
  if (size > MAX_COMMAND_BYTES) {
    throw new AppError('too_large', `A payload may have at most ${MAX_COMMAND_BYTES} bytes.`, {
      max_bytes: MAX_COMMAND_BYTES,
    });
  }
  const [row] = await db<{ command: Command }[]>`
    select ec.send_command(${serial}, ${command.type}, ${payload}::text::jsonb, ${command.expires_s}::int) as command`;
  return (row as { command: Command }).command;
}

/** Newest first. */
export async function listCommands(db: Db, serial: string, query: CommandListQuery): Promise<Page<Command>> {
  const from = query.after === undefined ? null : decodeCursor(query.after, 2);
  const [device] = await db<
    { id: string }[]
  >`select d.id from public.devices d where d.serial = ${serial} and ${isMine(db)}`;
  if (device === undefined) throw missing();
  const rows = await db<(Command & { cursor_at: string })[]>`
    select ${columns(db)}, c.created_at::text as cursor_at from public.device_commands c
    where c.device_id = ${device.id}
      ${query.state ? db`and c.state = ${query.state}` : db``}
      ${from === null ? db`` : db`and (c.created_at, c.id) < (${String(from[0])}::timestamptz, ${String(from[1])}::uuid)`}
    order by c.created_at desc, c.id desc limit ${query.limit + 1}`;
  const page = cutPage(rows, query.limit, (row) => [row.cursor_at, row.id]);
  return { ...page, items: page.items.map(({ cursor_at: _, ...command }) => command) };
}

export async function getCommand(db: Db, serial: string, id: string): Promise<Command> {
  const [command] = await db<Command[]>`
    select ${columns(db)} from public.device_commands c
    join public.devices d on d.id = c.device_id and ${isMine(db)}
    where d.serial = ${serial} and c.id = ${id}`;
  if (command === undefined) throw missing();
  return command;
}

/** Takes it back as long as nobody sent it. */
export async function cancelCommand(db: Db, serial: string, id: string): Promise<void> {
  await db`select ec.cancel_command(${serial}, ${id}::uuid)`;
}

/** The device itself says what came of it; saying it again changes nothing. */
export async function acknowledgeCommand(
  db: Db,
  serial: string,
  id: string,
  ack: CommandAck,
): Promise<CommandAcknowledged> {
  const result = ack.result === undefined ? null : JSON.stringify(ack.result);
  const [row] = await db<{ command: CommandAcknowledged }[]>`
    select ec.acknowledge_command(${serial}, ${id}::uuid, ${ack.ok}, ${result}::text::jsonb) as command`;
  return (row as { command: CommandAcknowledged }).command;
}

function columns(db: Db): Fragment {
  return db`c.id, c.serial, c.type, c.payload, c.state, c.created_at, c.created_by_label as created_by,
    c.created_by_kind, c.expires_at, c.sent_at, c.sent_door, c.acknowledged_at, c.result, c.reason`;
}
