/** The HTTPS door. While one call of ec.ingest_device_requests is under way, the requests that arrive wait and then
 *  go together: many requests share one transaction and one commit, and a lone one waits for nobody. */
import type { ParsedPackets, Reading } from '@edgeconductor/sdk/contract';
import { AppError, toAppError } from '../../_shared/errors.ts';

export interface DoorRequest {
  serial: string;
  /** hex SHA-256 of the device's secret */
  secretHash: string;
  parsed: Pick<ParsedPackets, 'readings' | 'rejects'>;
}

export interface DoorResult {
  /** false: the secret is not a live one of this device, nothing was stored */
  ok: boolean;
  accepted: number;
  duplicate: number;
  rejected: number;
  reboot: boolean;
}

/** As ec.ingest_device_requests takes and gives them. */
export interface DoorCall {
  i: number;
  s: string;
  h: string;
  p: Reading[];
  x: { reason: string; detail: string; payload: string; bytes: number; r: number }[];
}
export type Ingest = (requests: DoorCall[]) => Promise<(DoorResult & { i: number })[]>;

interface Waiting {
  request: DoorRequest;
  resolve(result: DoorResult): void;
  reject(error: unknown): void;
}

const MAX_GROUP_REQUESTS = 500;
const MAX_GROUP_PACKETS = 2000;
const MAX_WAITING = 10_000;

export class DeviceDoor {
  readonly #ingest: Ingest;
  #waiting: Waiting[] = [];
  #busy = false;
  constructor(ingest: Ingest) {
    this.#ingest = ingest;
  }

  /** Resolves after the commit. Throws `unavailable` when the database is down or too far behind. */
  submit(request: DoorRequest): Promise<DoorResult> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(
        new AppError('unavailable', 'Too many requests are waiting; try again.', { retry_after: 5 }),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (!this.#busy) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) await this.#send(this.#takeGroup());
    this.#busy = false;
  }

  #takeGroup(): Waiting[] {
    let packets = 0;
    let count = 0;
    for (const { request } of this.#waiting) {
      packets += request.parsed.readings.length;
      if (count > 0 && packets > MAX_GROUP_PACKETS) break;
      if (++count === MAX_GROUP_REQUESTS) break;
    }
    return this.#waiting.splice(0, count);
  }

  /** Never throws. A group that Postgres refuses is halved until the request that spoils it stands alone. */
  async #send(group: Waiting[]): Promise<void> {
    try {
      const results = await this.#ingest(group.map(({ request }, i) => toCall(request, i)));
      for (const [i, waiting] of group.entries()) {
        const result = results[i];
        if (result?.i === i) waiting.resolve(result);
        else waiting.reject(new AppError('internal', 'the door lost a result'));
      }
    } catch (error) {
      const failure = toAppError(error);
      if (group.length === 1 || failure.code === 'unavailable') {
        for (const waiting of group) waiting.reject(failure);
        return;
      }
      const half = Math.ceil(group.length / 2);
      await this.#send(group.slice(0, half));
      await this.#send(group.slice(half));
    }
  }
}

function toCall(request: DoorRequest, i: number): DoorCall {
  const x = request.parsed.rejects.map(({ index: _, ...letter }) => letter);
  return { i, s: request.serial, h: request.secretHash, p: request.parsed.readings, x };
}
