import type { Firmware, FirmwareCreateInput, FirmwareUpload as Ticket } from '@edgeconductor/sdk';
import { UploadError, type Sent } from '#lib/firmware/put-file.ts';
import { toProblem, type Problem } from '#lib/problem.ts';

export interface UploadDoors {
  begin(input: FirmwareCreateInput): Promise<Ticket>;
  put(
    to: Ticket['upload'],
    file: Blob,
    options: { onprogress: (sent: Sent) => void; signal: AbortSignal },
  ): Promise<void>;
  finish(id: string): Promise<Firmware>;
  /** Gives up what was begun. */
  drop(id: string): Promise<unknown>;
}

/** `checking`: everything arrived; size, hash and header are read again there, and it is signed. */
export type UploadPhase = 'ready' | 'sending' | 'checking' | 'done';

/** One image on its way to the store. */
export class FirmwareUpload {
  #phase = $state<UploadPhase>('ready');
  #sent = $state.raw<Sent>({ loaded: 0, total: 0 });
  #problem = $state.raw<Problem | null>(null);
  #firmware = $state.raw<Firmware | null>(null);
  #doors: UploadDoors;
  #abort: AbortController | null = null;

  constructor(doors: UploadDoors) {
    this.#doors = doors;
  }

  get phase(): UploadPhase {
    return this.#phase;
  }

  get busy(): boolean {
    return this.#phase === 'sending' || this.#phase === 'checking';
  }

  /** Whole percent of the bytes that left. */
  get percent(): number {
    const { loaded, total } = this.#sent;
    return total === 0 ? 0 : Math.floor((Math.min(loaded, total) / total) * 100);
  }

  get sent(): Sent {
    return this.#sent;
  }

  /** Why the last attempt was refused; the form is as it was. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** What it became. */
  get firmware(): Firmware | null {
    return this.#firmware;
  }

  /** Sends it; a second call while one is under way does nothing. */
  async send(file: Blob, input: FirmwareCreateInput): Promise<Firmware | null> {
    if (this.busy) return null;
    this.#phase = 'sending';
    this.#problem = null;
    this.#sent = { loaded: 0, total: file.size };
    this.#abort = new AbortController();
    let begun: string | null = null;
    try {
      const ticket = await this.#doors.begin(input);
      begun = ticket.firmware.id;
      const { signal } = this.#abort;
      signal.throwIfAborted();
      await this.#doors.put(ticket.upload, file, { onprogress: (sent) => (this.#sent = sent), signal });
      this.#phase = 'checking';
      this.#firmware = await this.#doors.finish(begun);
      this.#phase = 'done';
      return this.#firmware;
    } catch (cause) {
      if (begun && this.#phase === 'sending') await this.#doors.drop(begun).catch(() => undefined);
      this.#phase = 'ready';
      this.#problem = isAbort(cause) ? null : refusal(cause);
      return null;
    }
  }

  /** Stops sending; nothing stays behind. What is being checked already cannot be stopped. */
  cancel(): void {
    if (this.#phase === 'sending') this.#abort?.abort();
  }
}

const isAbort = (cause: unknown): boolean => cause instanceof Error && cause.name === 'AbortError';

function refusal(cause: unknown): Problem {
  if (!(cause instanceof UploadError)) return toProblem(cause);
  return {
    status: 503,
    code: 'unreachable',
    title: 'The upload did not arrive',
    detail: cause.message,
    request_id: null,
  };
}
