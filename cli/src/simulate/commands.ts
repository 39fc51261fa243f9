/** The device side of cmd: each id has one effect, however often the message comes. */

export interface CommandMessage {
  id: string;
  type: string;
  payload?: unknown;
  expires_at?: string;
}

export interface CommandReply {
  ok: boolean;
  result?: unknown;
}

/** A firmware keeps as many in its flash. */
const REMEMBERED = 64;

/** `null` for anything that is no command. */
export function readCommand(value: unknown): CommandMessage | null {
  if (typeof value !== 'object' || value === null) return null;
  const { id, type, payload, expires_at } = value as Record<string, unknown>;
  if (typeof id !== 'string' || typeof type !== 'string') return null;
  return {
    ...{ id, type },
    ...(payload === undefined ? {} : { payload }),
    ...(typeof expires_at === 'string' ? { expires_at } : {}),
  };
}

/** What a firmware can do besides what all can; what one gives back is the result, what it throws the reason. */
export type Abilities = Record<string, (payload: unknown) => unknown>;

const COMMON: Abilities = {
  reboot: () => null,
  identify: () => null,
  ping: (payload) => ({ pong: payload ?? null }),
};

export function actOn({ type, payload }: CommandMessage, abilities: Abilities): CommandReply {
  const ability = Object.hasOwn(abilities, type) ? abilities[type] : COMMON[type];
  if (!ability) return { ok: false, result: { reason: 'unknown_command' } };
  try {
    return { ok: true, result: ability(payload) ?? null };
  } catch (error) {
    return { ok: false, result: { reason: (error as Error).message } };
  }
}

/** Answers by id; survives restarts as a part of the flash does. */
export class CommandMemory {
  readonly #answers = new Map<string, CommandReply>();

  answerTo(id: string): CommandReply | undefined {
    return this.#answers.get(id);
  }

  remember(id: string, reply: CommandReply): void {
    this.#answers.set(id, reply);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > REMEMBERED && oldest !== undefined) this.#answers.delete(oldest);
  }
}
