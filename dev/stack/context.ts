import type { OnUpgrade } from './listen.ts';
import type { Mailbox } from './mail/mailbox.ts';
import type { PartName, StackOptions } from './options.ts';
import type { Ports } from './ports.ts';
import type { Postgres } from './postgres.ts';
import type { Secrets } from './secrets.ts';
import type { Tls } from './tls.ts';

/** What the parts of one running stack share. A part finds here what the parts it needs have put in. */
export interface Context {
  readonly options: StackOptions;
  readonly ports: Ports;
  readonly secrets: Secrets;
  readonly dataDir: string;
  readonly tls: Tls;
  /** Aborted when the stack is told to stop; a part that is still starting gives up. */
  readonly signal: AbortSignal;
  has(part: PartName): boolean;
  /** Appends a JSON line to logs/stack.log. */
  log(part: string, message: string, more?: Record<string, unknown>): void;
  /** Shows the person a sentence. */
  say(sentence: string): void;
  /** Called by a part that cannot go on: stops the whole stack with this sentence. */
  fail(sentence: string): void;
  logFile(part: string): string;
  postgres?: Postgres;
  mailbox?: Mailbox;
  /** Takes websocket handshakes of Realtime; the Supabase gateway asks for it at each one. */
  realtime?: OnUpgrade;
}

export interface RunningPart {
  stop(): Promise<void>;
}

export interface Part {
  needs: PartName[];
  /** Work that needs no other part: begins at once, its result is handed to start(). */
  prepare?(context: Context): Promise<unknown>;
  /** Resolves with undefined when this checkout holds nothing to run for it. */
  start(context: Context, prepared: unknown): Promise<RunningPart | undefined>;
}

/** Reads a member that a needed part has put in. */
export function given<K extends 'postgres' | 'mailbox'>(context: Context, key: K): NonNullable<Context[K]> {
  const value = context[key];
  if (value === undefined) throw new Error(`The part that provides "${key}" was not started before.`);
  return value as NonNullable<Context[K]>;
}
