import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPlan } from '../faults.ts';
import type { Arrival } from './download.ts';
import { fetchAll } from './fetch-all.ts';
import type { Flash } from './flash.ts';
import { doubtAbout, slotOf } from './image.ts';
import type { UpdateOrder, UpdateReport } from './order.ts';
import { Reports } from './reports.ts';

/** What an updater needs of the device it is in. */
export interface UpdaterHost {
  readonly productType: string;
  faults(): FaultPlan;
  /** Whether there is a way out now. */
  open(): boolean;
  report(report: UpdateReport): Promise<void>;
  /** Says with the next packet which version runs. */
  introduce(): void;
  /** The power goes and comes back; `boot` is called then. */
  reboot(reason: string): void;
  tell(detail: UpdateNews): void;
}

/** For people and tests who watch a device: what it said, and that an image proved itself. */
export type UpdateNews =
  UpdateReport | { job_id: string; attempt: number; state: 'installed'; version: string };

export interface UpdaterOptions {
  flash: Flash;
  /** `ota_public_key` of the registration; without it nothing is installed. A function is asked at each update. */
  publicKey?: string | (() => string | undefined) | undefined;
  /** How long writing a slot takes, ms. */
  installMs?: number;
  /** A new image that got no packet through for so long is given up, ms. */
  selfTestMs?: number;
  fetch?: typeof fetch;
}

const PROGRESS_MS = 1_000;
const BOOTS = 3;
const BUSY_RETRY_S = 30;
/** A report that the device reboots is worth waiting for, but not for ever. */
const FAREWELL_MS = 3_000;

/**
 * The update client of a board with two slots: fetches, checks, writes the spare slot, boots it, and goes back when
 * it does not prove itself. Each (job, attempt) is installed once, however often it is ordered.
 */
export class Updater {
  readonly #host: UpdaterHost;
  readonly #flash: Flash;
  readonly #options: UpdaterOptions;
  readonly #reports: Reports;
  /** Ends with the power. */
  #power = new AbortController();
  #working = false;
  /** A link that was refused: until a fresh one comes there is nothing to try. */
  #spent: string | undefined;
  #selfTest: NodeJS.Timeout | undefined;

  constructor(host: UpdaterHost, options: UpdaterOptions) {
    this.#host = host;
    this.#flash = options.flash;
    this.#options = options;
    this.#reports = new Reports(options.flash, (report) => host.report(report));
  }

  get version(): string {
    return this.#flash.running.version;
  }

  /** An order came, perhaps not for the first time. */
  take(order: UpdateOrder): void {
    const { job_id, attempt } = order;
    if (this.#host.faults().silent) return;
    const { order: current, ends, trial, deferred } = this.#flash.content;
    const end = ends[job_id];
    if (end && end.attempt >= attempt) return this.#answerAgain(order);
    if (trial?.job_id === job_id) return;
    if (current?.job_id === job_id && current.attempt >= attempt) {
      // The same order with a fresh link.
      if (current.attempt === attempt) this.#flash.write((content) => (content.order = order));
      return this.#work();
    }
    if (trial || (current && this.#flash.image?.complete)) return this.#putOff(order, BUSY_RETRY_S);
    if (this.#host.faults().refuses) return this.#end(order, { state: 'rejected', reason: 'refused' });
    if (order.product_type !== this.#host.productType)
      return this.#end(order, { state: 'rejected', reason: 'wrong_product_type' });
    const { defersS } = this.#host.faults();
    if (defersS > 0 && !deferred.includes(keyOf(order))) {
      this.#flash.write((content) => content.deferred.push(keyOf(order)));
      return this.#putOff(order, defersS);
    }
    this.#flash.image = null;
    this.#flash.write((content) => (content.order = order));
    this.#work();
  }

  /** The device has a way out (again). */
  opened(): void {
    if (this.#flash.content.unheard.length > 0) this.#reports.wake();
    this.#work();
  }

  /** The power is gone. */
  halt(): void {
    this.#power.abort();
    this.#power = new AbortController();
    clearTimeout(this.#selfTest);
    this.#reports.stop();
  }

  /** The power is back: which image comes up, if one does. The bootloader goes back after three tries. */
  boot(): 'running' | 'crashed' {
    const { trial } = this.#flash.content;
    if (!trial) return 'running';
    if (trial.boots >= BOOTS) {
      this.#revert('crash_loop');
      return 'running';
    }
    this.#flash.write(() => trial.boots++);
    if (this.#flash.running.crashes || this.#host.faults().badImage) return 'crashed';
    this.#selfTest = setTimeout(() => {
      this.#revert('self_test_failed');
      this.#host.reboot('SW');
    }, this.#options.selfTestMs ?? 120_000);
    return 'running';
  }

  /** A packet got through: a new image that can do this stays. */
  proven(): void {
    const { trial, active } = this.#flash.content;
    if (!trial || trial.boots === 0) return;
    clearTimeout(this.#selfTest);
    this.#flash.write((content) => {
      content.active = active === 0 ? 1 : 0;
      content.trial = null;
      content.ends[trial.job_id] = { attempt: trial.attempt, report: null };
    });
    const { job_id, attempt } = trial;
    this.#host.tell({ job_id, attempt, state: 'installed', version: this.version });
  }

  #revert(reason: string): void {
    const { trial } = this.#flash.content;
    if (!trial) return;
    this.#flash.write((content) => (content.trial = null));
    this.#end(trial, { state: 'rolled_back', reason });
  }

  /** The answer, or the packet with the version, may have been lost. */
  #answerAgain({ job_id, attempt }: UpdateOrder): void {
    const end = this.#flash.content.ends[job_id];
    if (end?.attempt !== attempt) return;
    if (end.report) this.#reports.say(end.report);
    else this.#host.introduce();
  }

  /** One thing at a time; called whenever there may be something to do. */
  #work(): void {
    const { order } = this.#flash.content;
    if (this.#working || !order || order.url === this.#spent || !this.#host.open()) return;
    const { signal } = this.#power;
    this.#working = true;
    this.#fetchAndInstall(order, signal)
      .catch((error: unknown) => {
        // Nothing else throws: a power cut, and the update goes on when the power is back.
        if (!signal.aborted) this.#end(order, { state: 'failed', reason: String(error) });
      })
      .finally(() => {
        this.#working = false;
        // The power may have come back, or another order come, before the old work noticed its end.
        if (signal.aborted || this.#currentUrl(order) === null) this.#work();
      });
  }

  async #fetchAndInstall(order: UpdateOrder, signal: AbortSignal): Promise<void> {
    const arrival = this.#flash.arrivalOf(order);
    if (!arrival.complete && !(await this.#fetch(order, arrival, signal))) return;
    if (this.#host.faults().corruptDownload) arrival.bytes[arrival.bytes.length >> 1]! ^= 1;
    const { publicKey } = this.#options;
    const doubt = doubtAbout(arrival.bytes, order, typeof publicKey === 'function' ? publicKey() : publicKey);
    if (doubt) return this.#end(order, { state: 'failed', reason: doubt });
    this.#say(order, { state: 'installing' });
    const half = (this.#options.installMs ?? 400) / 2;
    await sleep(half, undefined, { signal });
    if (this.#host.faults().powerCut(keyOf(order))) return this.#host.reboot('BROWNOUT');
    await sleep(half, undefined, { signal });
    this.#say(order, { state: 'rebooting' });
    await Promise.race([this.#reports.settled(), sleep(FAREWELL_MS, undefined, { signal })]);
    signal.throwIfAborted();
    this.#flash.image = null;
    this.#flash.write((content) => {
      content.slots[content.active === 0 ? 1 : 0] = slotOf(arrival.bytes, order);
      content.trial = { job_id: order.job_id, attempt: order.attempt, boots: 0 };
      content.order = null;
    });
    this.#host.reboot('SW');
  }

  /** False: it ended or waits, and that was said. */
  async #fetch(order: UpdateOrder, arrival: Arrival, signal: AbortSignal): Promise<boolean> {
    let said = 0;
    const say = (): void => {
      said = Date.now();
      this.#say(order, { state: 'downloading', percent: arrival.percent });
    };
    say();
    const outcome = await fetchAll(arrival, {
      url: () => this.#currentUrl(order),
      open: () => this.#host.open(),
      ...{ signal, fetch: this.#options.fetch ?? fetch },
      onProgress: () => {
        if (arrival.complete || Date.now() - said >= PROGRESS_MS) say();
      },
    });
    if (outcome === 'expired') {
      this.#spent = this.#currentUrl(order) ?? undefined;
      this.#say(order, { state: 'deferred', reason: 'url_expired' });
    }
    if (outcome === 'given_up') this.#end(order, { state: 'failed', reason: 'download_failed' });
    if (outcome === 'wrong_size') this.#end(order, { state: 'failed', reason: 'size_mismatch' });
    return outcome === 'complete';
  }

  /** The newest link of the order, null when another one took its place. */
  #currentUrl(order: UpdateOrder): string | null {
    const { order: current } = this.#flash.content;
    return current && keyOf(current) === keyOf(order) ? current.url : null;
  }

  #putOff(order: UpdateOrder, retry_s: number): void {
    this.#say(order, { state: 'deferred', reason: 'busy', retry_s });
  }

  #say({ job_id, attempt }: Key, what: What): UpdateReport {
    const report = { job_id, attempt, ...what };
    this.#reports.say(report);
    this.#host.tell(report);
    return report;
  }

  /** The last word about an order. */
  #end(order: Key, what: What): void {
    const { job_id, attempt } = order;
    const report = this.#say(order, what);
    this.#flash.write((content) => {
      content.ends[job_id] = { attempt, report };
      if (content.order?.job_id === job_id) content.order = null;
    });
    if (!this.#flash.content.order) this.#flash.image = null;
  }
}

type Key = Pick<UpdateOrder, 'job_id' | 'attempt'>;
type What = Omit<UpdateReport, keyof Key>;

function keyOf({ job_id, attempt }: Key): string {
  return `${job_id}/${attempt}`;
}
