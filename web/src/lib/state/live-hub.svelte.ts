import type { LiveLease } from '@edgeconductor/sdk';
import { Seat, type LiveSocket, type Watch } from './live-seat.ts';

export type LiveMode = 'idle' | 'connecting' | 'live' | 'polling' | 'stalled' | 'paused' | 'offline';

export interface LiveDoors {
  lease(asked: string[]): Promise<LiveLease[]>;
  open(): Promise<LiveSocket>;
}

const TICK_MS = 1_000;
const RENEW_MS = 10_000;
const POLL_MS = 5_000;
/** A new socket gets this long before the screen admits that it is polling. */
const GRACE_MS = 4_000;
/** The next page usually looks at something, too: the socket waits for it. */
const LINGER_MS = 5_000;

/**
 * One live connection for all screens. Leases what is looked at, joins the leased topics, stops when nobody
 * looks or the tab is hidden, polls when the socket is down, and says which of these it does.
 */
export class LiveHub {
  #mode = $state<LiveMode>('idle');
  #lastPacketAt = $state<number | null>(null);
  #seats = new Map<string, Seat>();
  #doors: LiveDoors;
  #socket: LiveSocket | null = null;
  #opening = false;
  #visible = true;
  #online = true;
  #renewAt = 0;
  #pollAt = 0;
  #idleAt = 0;
  #downSince = 0;
  #pollFailed = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(doors: LiveDoors) {
    this.#doors = doors;
  }

  /** What the top bar says. */
  get mode(): LiveMode {
    return this.#mode;
  }

  /** Arrival of the newest news in epoch ms, null before the first. */
  get lastPacketAt(): number | null {
    return this.#lastPacketAt;
  }

  /** `asked`: `org:<uuid>` or `device:<serial>`. Returns the function that stops watching. */
  watch(asked: string, watch: Watch): () => void {
    const seat = this.#seats.get(asked) ?? this.#newSeat(asked);
    seat.watches.add(watch);
    this.#wake();
    return () => {
      seat.watches.delete(watch);
      if (seat.watches.size > 0 || this.#seats.get(asked) !== seat) return;
      seat.vacate();
      this.#seats.delete(asked);
      if (this.#seats.size === 0) this.#idleAt = Date.now() + LINGER_MS;
    };
  }

  setVisible(visible: boolean): void {
    this.#visible = visible;
    this.#react('paused', visible);
  }

  setOnline(online: boolean): void {
    this.#online = online;
    this.#react('offline', online);
  }

  #newSeat(asked: string): Seat {
    // A connection that was fine until now gets its grace again for the newcomer.
    if (this.#isLive()) this.#downSince = Date.now();
    const seat = new Seat((event) => {
      if (event) this.#lastPacketAt = Date.now();
      else this.#settleMode(Date.now());
    });
    this.#seats.set(asked, seat);
    this.#renewAt = 0;
    return seat;
  }

  #react(rest: LiveMode, awake: boolean): void {
    if (this.#seats.size === 0) return;
    if (!awake) return this.#sleep(rest);
    this.#pollAt = 0;
    this.#wake();
    void this.#pollAll(Date.now(), true);
  }

  #wake(): void {
    if (!this.#visible || !this.#online) return;
    if (!this.#timer) {
      this.#downSince = Date.now();
      this.#mode = 'connecting';
      this.#timer = setInterval(() => void this.#tick(Date.now()), TICK_MS);
    }
    // After the batch of components that mount together, so that one request leases for all.
    queueMicrotask(() => void this.#tick(Date.now()));
  }

  #sleep(mode: LiveMode): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const seat of this.#seats.values()) seat.vacate();
    this.#socket?.close();
    this.#socket = null;
    this.#renewAt = 0;
    this.#mode = mode;
  }

  async #tick(now: number): Promise<void> {
    if (!this.#timer) return;
    if (this.#seats.size === 0) {
      if (now >= this.#idleAt) this.#sleep('idle');
      return;
    }
    if (now >= this.#renewAt) await this.#renew(now);
    if (this.#isLive()) this.#downSince = now;
    else if (now - this.#downSince >= GRACE_MS) await this.#pollAll(now, false);
    this.#settleMode(now);
  }

  async #renew(now: number): Promise<void> {
    this.#renewAt = now + RENEW_MS;
    const asked = [...this.#seats.keys()];
    try {
      const leases = await this.#doors.lease(asked);
      const socket = await this.#connected();
      if (!socket) return;
      const topics = new Map(leases.map((lease) => [lease.asked, lease.topic]));
      for (const name of asked) this.#seats.get(name)?.take(socket, topics.get(name) ?? null);
    } catch {
      // Renewed with the next tick that is due; until then the screen polls.
    }
  }

  async #connected(): Promise<LiveSocket | null> {
    if (this.#socket || this.#opening) return this.#socket;
    this.#opening = true;
    try {
      const socket = await this.#doors.open();
      // Everybody may have left, or the tab been hidden, while it opened.
      if (this.#timer) this.#socket = socket;
      else socket.close();
      return this.#socket;
    } finally {
      this.#opening = false;
    }
  }

  async #pollAll(now: number, everything: boolean): Promise<void> {
    if (now < this.#pollAt) return;
    this.#pollAt = now + POLL_MS;
    const due = [...this.#seats.values()].filter((seat) => everything || !seat.joined);
    const results = await Promise.allSettled(due.flatMap((seat) => seat.poll()));
    this.#pollFailed = results.some((result) => result.status === 'rejected');
    if (!this.#pollFailed && results.length > 0) this.#lastPacketAt = Date.now();
  }

  #isLive(): boolean {
    return [...this.#seats.values()].every((seat) => seat.joined);
  }

  #settleMode(now: number): void {
    if (!this.#timer) return;
    if (this.#isLive()) this.#mode = 'live';
    else if (now - this.#downSince < GRACE_MS) this.#mode = 'connecting';
    else this.#mode = this.#pollFailed ? 'stalled' : 'polling';
  }
}
