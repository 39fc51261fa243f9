import type { LiveLease } from '@edgeconductor/sdk';

export type LiveMode = 'idle' | 'connecting' | 'live' | 'polling' | 'stalled' | 'paused' | 'offline';

/** The socket as the hub sees it; lib/supabase implements it on Realtime. */
export interface LiveSocket {
  join(
    topic: string,
    on: { event: (name: string, payload: unknown) => void; joined: (yes: boolean) => void },
  ): () => void;
  close(): void;
}

export interface LiveDoors {
  lease(asked: string[]): Promise<LiveLease[]>;
  open(): Promise<LiveSocket>;
}

export interface Watch {
  event(name: string, payload: unknown): void;
  /** Fetches the same news the slow way; called while the socket is down and once after every gap. */
  poll(): Promise<void>;
}

interface Seat {
  watches: Set<Watch>;
  topic: string | null;
  joined: boolean;
  leave: () => void;
}

const RENEW_MS = 10_000;
const POLL_MS = 5_000;
/** A new socket gets this long before the screen admits that it is polling. */
const GRACE_MS = 4_000;

/**
 * One live connection for all screens. Leases what is looked at, joins the leased topics, stops when nobody
 * looks or the tab is hidden, polls when the socket is down, and says which of these it does.
 * `tick(now)` drives everything, so tests need no timers.
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

  /** Arrival of the newest message in epoch ms, null before the first. */
  get lastPacketAt(): number | null {
    return this.#lastPacketAt;
  }

  /** `asked`: `org:<uuid>` or `device:<serial>`. Returns the function that stops watching. */
  watch(asked: string, watch: Watch): () => void {
    const seat = this.#seats.get(asked) ?? {
      watches: new Set(),
      topic: null,
      joined: false,
      leave: () => {},
    };
    seat.watches.add(watch);
    this.#seats.set(asked, seat);
    this.#renewAt = 0;
    this.#wake();
    return () => {
      seat.watches.delete(watch);
      if (seat.watches.size > 0) return;
      seat.leave();
      if (this.#seats.get(asked) === seat) this.#seats.delete(asked);
      if (this.#seats.size === 0) this.#sleep('idle');
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

  #react(rest: LiveMode, awake: boolean): void {
    if (this.#seats.size === 0) return;
    if (!awake) return this.#sleep(rest);
    this.#pollAt = 0;
    this.#wake();
    void this.#pollAll(Date.now(), true);
  }

  #wake(): void {
    if (!this.#visible || !this.#online || this.#timer) return;
    this.#downSince = Date.now();
    this.#mode = 'connecting';
    this.#timer = setInterval(() => void this.tick(Date.now()), 1000);
    // After the batch of components that mount together, so that one request leases for all.
    queueMicrotask(() => void this.tick(Date.now()));
  }

  #sleep(mode: LiveMode): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const seat of this.#seats.values()) vacate(seat);
    this.#socket?.close();
    this.#socket = null;
    this.#renewAt = 0;
    this.#mode = mode;
  }

  async tick(now: number): Promise<void> {
    if (!this.#visible || !this.#online || this.#seats.size === 0) return;
    if (now >= this.#renewAt) await this.#renew(now);
    const live = this.#isLive();
    if (live) this.#downSince = now;
    if (!live && now - this.#downSince >= GRACE_MS) await this.#pollAll(now, false);
    this.#settleMode(now);
  }

  async #renew(now: number): Promise<void> {
    this.#renewAt = now + RENEW_MS;
    const asked = [...this.#seats.keys()];
    let leases: LiveLease[];
    try {
      leases = await this.#doors.lease(asked);
      this.#socket ??= await this.#open();
    } catch {
      return;
    }
    for (const name of asked) this.#seat(name, leases.find((lease) => lease.asked === name)?.topic ?? null);
  }

  async #open(): Promise<LiveSocket | null> {
    if (this.#opening) return null;
    this.#opening = true;
    try {
      return await this.#doors.open();
    } finally {
      this.#opening = false;
    }
  }

  /** Takes the seat at its topic; another epoch means another topic. */
  #seat(asked: string, topic: string | null): void {
    const seat = this.#seats.get(asked);
    if (!seat || !this.#socket || (seat.topic === topic && topic !== null)) return;
    vacate(seat);
    if (topic === null) return;
    seat.topic = topic;
    seat.leave = this.#socket.join(topic, {
      joined: (yes) => this.#joined(seat, yes),
      event: (name, payload) => this.#event(seat, name, payload),
    });
  }

  #joined(seat: Seat, yes: boolean): void {
    if (yes && !seat.joined) for (const watch of seat.watches) void watch.poll().catch(() => {});
    seat.joined = yes;
    this.#settleMode(Date.now());
  }

  #event(seat: Seat, name: string, payload: unknown): void {
    this.#lastPacketAt = Date.now();
    for (const watch of seat.watches) watch.event(name, payload);
  }

  async #pollAll(now: number, everything: boolean): Promise<void> {
    if (now < this.#pollAt) return;
    this.#pollAt = now + POLL_MS;
    const due = [...this.#seats.values()].filter((seat) => everything || !seat.joined);
    const results = await Promise.allSettled(
      due.flatMap((seat) => [...seat.watches].map((watch) => watch.poll())),
    );
    this.#pollFailed = results.some((result) => result.status === 'rejected');
    if (!this.#pollFailed && results.length > 0 && !everything) this.#lastPacketAt = Date.now();
  }

  #isLive(): boolean {
    return [...this.#seats.values()].every((seat) => seat.joined);
  }

  #settleMode(now: number): void {
    if (!this.#timer && this.#mode !== 'connecting') return;
    if (this.#isLive()) this.#mode = 'live';
    else if (now - this.#downSince < GRACE_MS) this.#mode = 'connecting';
    else this.#mode = this.#pollFailed ? 'stalled' : 'polling';
  }
}

function vacate(seat: Seat): void {
  seat.leave();
  seat.leave = () => {};
  seat.topic = null;
  seat.joined = false;
}
