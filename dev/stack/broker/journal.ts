import { closeSync, existsSync, fdatasync, fsyncSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { renameSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** One operation on the broker's state; the first member names it (see session-store.ts). */
export type Op = [string, ...unknown[]];

/** Rewritten from live state when it grows past this, so it never becomes the history of the world. */
const REWRITE_BYTES = 64 * 1024 * 1024;

/**
 * The broker's memory across restarts: JSON lines, appended in groups. With `fsync` a flush is on the disk
 * (survives a power cut), without it in the kernel (survives the process). A torn last line is ignored.
 */
export class Journal {
  readonly #path: string;
  readonly #fsync: boolean;
  readonly #state: () => Iterable<Op>;
  #fd = -1;
  #pending = '';
  #waiters: Array<(error?: Error) => void> = [];
  #busy = false;
  #bytes = 0;
  #failed: Error | undefined;

  /** `state` yields operations that lead to the present state, those appended but not yet applied included. */
  constructor(path: string, fsync: boolean, state: () => Iterable<Op>) {
    this.#path = path;
    this.#fsync = fsync;
    this.#state = state;
  }

  load(apply: (op: Op) => void): void {
    if (!existsSync(this.#path)) return;
    for (const line of readFileSync(this.#path, 'utf8').split('\n')) {
      if (line === '') continue;
      let op: Op;
      try {
        op = JSON.parse(line) as Op;
      } catch {
        continue; // torn by a crash in the middle of a write; it was never acknowledged
      }
      apply(op);
    }
  }

  /** Replaces the file by the given state, atomically. Blocks: the state is small and this is rare. */
  rewrite(state: Iterable<Op> = this.#state()): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const temporary = `${this.#path}.new`;
    const fd = openSync(temporary, 'w', 0o600);
    let chunk = '';
    this.#bytes = 0;
    const put = (): void => {
      this.#bytes += writeSync(fd, chunk);
      chunk = '';
    };
    for (const op of state) {
      chunk += JSON.stringify(op) + '\n';
      if (chunk.length > 1 << 20) put();
    }
    put();
    fsyncSync(fd);
    renameSync(temporary, this.#path);
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = fd;
  }

  append(op: Op): void {
    if (this.#fd === -1) return; // closed: the state was written as a whole
    this.#pending += JSON.stringify(op) + '\n';
    if (!this.#busy) {
      this.#busy = true;
      setImmediate(() => this.#flush());
    }
  }

  /** Resolves when everything appended so far is kept; rejects when the disk refuses (full, gone). */
  flushed(): Promise<void> {
    if (this.#failed) return Promise.reject(this.#failed);
    if (this.#pending === '') return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push((error) => (error ? reject(error) : resolve()));
    });
  }

  #flush(): void {
    const data = Buffer.from(this.#pending);
    const waiters = this.#waiters;
    this.#pending = '';
    this.#waiters = [];
    const done = (error: Error | null): void => {
      // A disk that failed once cannot be trusted with the next line: the order would have a hole.
      if (error) this.#failed = error;
      else this.#bytes += data.length;
      for (const waiter of waiters) waiter(this.#failed);
      if (this.#bytes > REWRITE_BYTES && !this.#failed) this.rewrite();
      if (this.#pending !== '' && !this.#failed) this.#flush();
      else this.#busy = false;
    };
    let offset = 0;
    const step = (error: Error | null, written: number): void => {
      if (error) return done(error);
      offset += written;
      if (offset < data.length) write(this.#fd, data, offset, data.length - offset, null, step);
      else if (this.#fsync) fdatasync(this.#fd, done);
      else done(null);
    };
    write(this.#fd, data, 0, data.length, null, step);
  }

  close(): void {
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
  }
}
