import type { CommandMessage, CommandReply } from '../commands.ts';
import type { UpdateOrder, UpdateReport } from '../updates/order.ts';

/** How a virtual device reaches the platform: one of its two doors. A door moves text and knows no profile. */
export interface Door {
  /** Whether a packet sent now has a way out. */
  readonly open: boolean;
  /** Begins to connect and keeps at it until `pause` or `stop`. */
  start(): void;
  /** Delivers one packet or batch; settles when the platform acknowledged it, rejects when it may not have. */
  send(body: string): Promise<Delivery>;
  /** Tells what the device now does, beside telemetry. */
  report(reported: Record<string, unknown>): Promise<void>;
  /** Says what came of a command. */
  acknowledge(id: string, reply: CommandReply): Promise<void>;
  /** Says how far an update is. Settles when the platform has it, or wants to hear no more of it. */
  reportUpdate(report: UpdateReport): Promise<void>;
  /** Asks for the present desired document and its version; it comes as an event. */
  ask(): void;
  /** Loses the connection the way a pulled cable does; the door then reconnects by itself. */
  cut(): void;
  /** Leaves like `cut` and stays away until `start`. */
  pause(): void;
  /** Says goodbye and ends. */
  stop(): Promise<void>;
}

export interface Delivery {
  /** The platform asked for a restart in its answer (HTTP 205). */
  restart: boolean;
}

/** What a door tells its device. */
export interface DoorEvents {
  opened(): void;
  closed(): void;
  /** The whole desired document; `version` is null where the message has none. */
  desired(document: Record<string, unknown>, version: number | null): void;
  command(command: CommandMessage): void;
  update(order: UpdateOrder): void;
  /** The platform refused the credential; the door keeps trying, slower. */
  refused(reason: string): void;
}
