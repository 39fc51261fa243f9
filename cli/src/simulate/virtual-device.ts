import { FaultPlan, type Faults } from './faults.ts';
import { actOn, CommandMemory, type CommandMessage, type CommandReply } from './commands.ts';
import { DesiredShadow } from './desired.ts';
import type { DeviceCounters, DeviceEvent, VirtualDeviceOptions } from './device-options.ts';
import type { Door } from './doors/door.ts';
import type { Controls, Packet } from './profiles/profile.ts';
import { seedOf, unit } from './random.ts';
import { Flash } from './updates/flash.ts';
import { Updater } from './updates/updater.ts';

interface Reading {
  packet: Packet;
  at: number;
}

const BATCH_PACKETS = 200;
/** A document with a version usually follows the retained one at once; when none does, the device asks. */
const ASK_AFTER_MS = 1_000;

/**
 * One device on the real protocol: samples its profile at its beat, sends at once while it can, keeps readings
 * with their own time while it cannot and delivers them as array batches, oldest first, when it can again.
 */
export class VirtualDevice {
  readonly serial: string;
  readonly counters: DeviceCounters = { sampled: 0, delivered: 0, dropped: 0, failed: 0 };
  readonly #options: VirtualDeviceOptions;
  #faults: FaultPlan;
  readonly #door: Door;
  readonly #phaseMs: number;
  #backlog: Reading[] = [];
  #held: Reading | undefined;
  #controls: Controls = {};
  readonly #desired = new DesiredShadow();
  readonly #memory = new CommandMemory();
  #asking: NodeJS.Timeout | undefined;
  readonly #updater: Updater;
  #booted: { at: number; reason: string } | undefined;
  /** Between two boots: nothing runs. */
  #booting: NodeJS.Timeout | undefined;
  /** A packet with the version was delivered at once since the connection began or the board booted. */
  #introduced = false;
  /** Packets since the start: a gap in the numbers is a packet that was lost. */
  #sampled = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing = false;
  #away = false;

  constructor(options: VirtualDeviceOptions) {
    this.serial = options.serial;
    this.#options = options;
    this.#faults = new FaultPlan(options.faults ?? {}, options.serial);
    this.#phaseMs = Math.floor(unit(seedOf(options.serial), 91) * options.intervalS * 1_000);
    this.#door = options.door({
      opened: () => this.#opened(),
      closed: () => this.#tell('closed'),
      desired: (document, version) => this.#receive(document, version),
      command: (command) => void this.#run(command),
      update: (order) => {
        this.#tell('ordered', order);
        this.#updater.take(order);
      },
      refused: (reason) => this.#tell('refused', reason),
    });
    const { profile, updates } = options;
    this.#updater = new Updater(
      {
        productType: profile.productType,
        faults: () => this.#faults,
        open: () => this.#door.open,
        report: (report) => this.#door.reportUpdate(report),
        introduce: () => (this.#introduced = false),
        reboot: (reason) => this.#restart(reason),
        tell: (news) => this.#tell('updating', news),
      },
      { ...updates, flash: updates?.flash ?? new Flash(profile.fwVersion) },
    );
  }

  /** Of the firmware that runs. */
  get version(): string {
    return this.#updater.version;
  }

  get connected(): boolean {
    return this.#door.open;
  }

  /** Readings that wait for a way out. */
  get waiting(): number {
    return this.#backlog.length;
  }

  start(): void {
    if (this.#timer) return;
    this.#away = this.#faults.isOffline(Date.now());
    this.#schedule();
    this.#boot(undefined);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    clearTimeout(this.#asking);
    clearTimeout(this.#booting);
    this.#booting = undefined;
    this.#timer = undefined;
    this.#updater.halt();
    await this.#door.stop();
  }

  /**
   * The next beat on the device's own grid: no drift, and a fleet spreads over the interval by its serials.
   * Counted from the last beat, because a timer may fire a moment before its time.
   */
  #schedule(after = 0): void {
    const interval = this.#options.intervalS * 1_000;
    const now = Math.max(Date.now(), after);
    const due = Math.floor((now - this.#phaseMs) / interval + 1) * interval + this.#phaseMs;
    this.#timer = setTimeout(() => {
      this.#schedule(due);
      this.#beat(Date.now());
    }, due - Date.now());
  }

  #beat(at: number): void {
    if (this.#booting) return;
    this.#weather(at);
    const reading = { packet: this.#sample(at), at };
    this.counters.sampled++;
    const fate = this.#faults.nextFate();
    if (fate === 'drop') {
      this.counters.dropped++;
      return;
    }
    if (fate === 'late' && !this.#held) {
      this.#held = reading;
      return;
    }
    if (!this.#door.open || this.#backlog.length > 0) {
      this.#keep(reading);
      void this.#flush();
      return;
    }
    if (fate === 'garble') return void this.#send(this.#faults.rubbish(at), []);
    const twice = fate === 'duplicate';
    const body = JSON.stringify(this.#stamped(reading, twice));
    void this.#send(body, [reading]);
    if (twice) void this.#send(body, []);
    if (this.#held) void this.#send(JSON.stringify(this.#stamped(this.#held, true)), [this.#held]);
    this.#held = undefined;
  }

  /** Planned absences and broken connections. */
  #weather(at: number): void {
    const offline = this.#faults.isOffline(at);
    if (offline !== this.#away) {
      this.#away = offline;
      if (offline) this.#door.pause();
      else this.#door.start();
    }
    if (this.#faults.breaks(at, this.#options.intervalS)) this.#door.cut();
  }

  #sample(at: number): Packet {
    const { profile } = this.#options;
    let packet = profile.sample(at);
    if (profile.steer) packet = profile.steer(packet, this.#controls, at);
    if (this.#booted) {
      const { at: since, reason } = this.#booted;
      packet = { ...packet, uptime: Math.floor((at - since) / 1_000), reboot_reason: reason };
    }
    packet = { ...packet, seq: this.#sampled++ };
    return this.#introduced ? packet : { ...packet, fw_version: this.#updater.version };
  }

  #stamped(reading: Reading, must: boolean): Packet {
    if (!must && !this.#options.clock && this.#faults.skewMs === 0) return reading.packet;
    return { ...reading.packet, ts: reading.at + this.#faults.skewMs };
  }

  /** Sends one body; readings the platform did not acknowledge go back to wait with their own time. */
  async #send(body: string, readings: readonly Reading[]): Promise<boolean> {
    try {
      const { restart } = await this.#door.send(body);
      this.counters.delivered += readings.length;
      this.#delivered(readings, body.startsWith('['));
      if (restart) this.#restart('SW');
      return true;
    } catch {
      this.counters.failed++;
      for (const reading of readings) this.#keep(reading);
      return false;
    }
  }

  /** What comes late is history: only a packet of this moment says for certain which version runs now. */
  #delivered(readings: readonly Reading[], late: boolean): void {
    const { version } = this.#updater;
    if (!late && readings.some(({ packet }) => packet['fw_version'] === version)) this.#introduced = true;
    if (this.#booting) return;
    this.#updater.proven();
    this.#updater.opened();
  }

  #keep(reading: Reading): void {
    this.#backlog.push(reading);
    const limit = this.#options.backlog ?? 2_000;
    if (this.#backlog.length <= limit) return;
    this.counters.dropped += this.#backlog.length - limit;
    this.#backlog = this.#backlog.slice(-limit);
    this.#tell('overflow');
  }

  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      while (this.#door.open && this.#backlog.length > 0) {
        const batch = this.#backlog.splice(0, BATCH_PACKETS).sort((a, b) => a.at - b.at);
        if (!(await this.#send(JSON.stringify(batch.map((r) => this.#stamped(r, true))), batch))) break;
      }
    } finally {
      this.#flushing = false;
    }
  }

  #opened(): void {
    this.#tell('opened');
    this.#introduced = false;
    this.#updater.opened();
    void this.#flush();
  }

  /** Other faults from now on; what it did not do before, it does now. */
  break(faults: Faults): void {
    this.#faults = new FaultPlan(faults, this.serial);
    this.#desired.forget();
    if (this.#door.open) this.#door.ask();
  }

  #receive(document: Record<string, unknown>, version: number | null): void {
    const wanted =
      version === null ? this.#desired.takePlain(document) : this.#desired.takeVersioned(version, document);
    if (wanted === 'ask') {
      this.#asking ??= setTimeout(() => {
        this.#asking = undefined;
        this.#door.ask();
      }, ASK_AFTER_MS);
      return;
    }
    clearTimeout(this.#asking);
    this.#asking = undefined;
    if (wanted) this.#obey(wanted);
  }

  /** Does what it can of the desired document and confirms at once; telemetry confirms it again at its beat. */
  #obey(document: Record<string, unknown>): void {
    if (this.#faults.deaf) return;
    const accepted = this.#options.profile.accept?.(document);
    if (!accepted) return;
    this.#controls = accepted;
    this.#tell('controlled', accepted);
    if (Object.keys(accepted).length > 0) this.#door.report({ ...accepted }).catch(() => undefined);
  }

  /** Once for an id. One that is known is only answered again: the answer may have been lost. */
  async #run(command: CommandMessage): Promise<void> {
    if (this.#faults.silent || Date.parse(command.expires_at ?? '') <= Date.now()) return;
    const known = this.#memory.answerTo(command.id);
    const own = this.#options.profile.commands ?? {};
    const refused: CommandReply = { ok: false, result: { reason: 'refused' } };
    const act = (): CommandReply =>
      this.#faults.refuses ? refused : actOn(command, { ...own, set: (payload) => this.#set(payload) });
    const reply = known ?? act();
    this.#memory.remember(command.id, reply);
    const { id, type } = command;
    if (!known) this.#tell('commanded', { id, type, ...reply });
    await this.#door.acknowledge(id, reply).catch(() => undefined);
    if (!known && type === 'reboot' && reply.ok) this.#restart('SW');
  }

  /** One press of a button: the values now, without becoming what the device should be. */
  #set(payload: unknown): Controls {
    const values = this.#options.profile.accept?.((payload ?? {}) as Record<string, unknown>) ?? {};
    if (Object.keys(values).length === 0) throw new Error('nothing_to_set');
    this.#controls = { ...this.#controls, ...values };
    this.#door.report({ ...values }).catch(() => undefined);
    return values;
  }

  /** Memory is lost, the flash is not: what should be is asked for again, known commands stay known. */
  #restart(reason: string): void {
    if (this.#booting) return;
    this.#controls = {};
    this.#desired.forget();
    clearTimeout(this.#asking);
    this.#asking = undefined;
    this.#updater.halt();
    this.#booting = setTimeout(() => this.#boot(reason), this.#options.bootMs ?? 300);
    this.#tell('restarted', reason);
    this.#door.pause();
  }

  /** Power on. An image that crashes boots again and again until the bootloader has had enough of it. */
  #boot(reason: string | undefined): void {
    this.#booting = undefined;
    if (this.#updater.boot() === 'crashed') {
      this.#booting = setTimeout(() => this.#boot('PANIC'), this.#options.bootMs ?? 300);
      return;
    }
    if (reason !== undefined) this.#booted = { at: Date.now(), reason };
    this.#sampled = 0;
    this.#introduced = false;
    if (!this.#away) this.#door.start();
  }

  #tell(kind: DeviceEvent['kind'], detail?: unknown): void {
    this.#options.onEvent?.({ kind, serial: this.serial, detail });
  }
}
