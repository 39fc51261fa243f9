import type { LiveLease } from '@edgeconductor/sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveHub, type LiveDoors } from './live-hub.svelte.ts';
import type { LiveSocket } from './live-seat.ts';

/** Plays the API and Realtime: which topics are leased and joined, and what fails. */
class World implements LiveDoors {
  leases: string[][] = [];
  epoch = 1;
  refused = new Set<string>();
  leaseFails = false;
  socketJoins = true;
  opened = 0;
  closed = 0;
  joined = new Map<
    string,
    { event: (name: string, payload: unknown) => void; joined: (yes: boolean) => void }
  >();

  lease = async (asked: string[]): Promise<LiveLease[]> => {
    this.leases.push(asked);
    if (this.leaseFails) throw new Error('down');
    return asked
      .filter((name) => !this.refused.has(name))
      .map((name) => ({ asked: name, topic: `${name}:${this.epoch}`, expires_at: '' }));
  };

  open = async (): Promise<LiveSocket> => {
    this.opened++;
    return {
      join: (topic, on) => {
        this.joined.set(topic, on);
        on.joined(this.socketJoins);
        return () => this.joined.delete(topic);
      },
      close: () => void this.closed++,
    };
  };

  drop(): void {
    for (const on of this.joined.values()) on.joined(false);
  }
}

function watcher() {
  const seen = { events: [] as [string, unknown][], polls: 0, pollFails: false };
  const watch = {
    event: (name: string, payload: unknown) => void seen.events.push([name, payload]),
    poll: async () => {
      seen.polls++;
      if (seen.pollFails) throw new Error('down');
    },
  };
  return { seen, watch };
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

describe('the live hub', () => {
  let world: World;
  let hub: LiveHub;

  beforeEach(() => {
    vi.useFakeTimers();
    world = new World();
    hub = new LiveHub(world);
  });

  afterEach(() => vi.useRealTimers());

  it('rests until somebody looks, and again when nobody does any more', async () => {
    await seconds(30);
    expect(world.leases).toHaveLength(0);
    expect(hub.mode).toBe('idle');

    const stop = hub.watch('device:EC-1', watcher().watch);
    await seconds(1);
    expect(hub.mode).toBe('live');
    stop();
    await seconds(30);
    expect(hub.mode).toBe('idle');
    expect(world.leases).toHaveLength(1);
    expect(world.closed).toBe(1);
    expect(world.joined.size).toBe(0);
  });

  it('keeps the socket while one page makes way for the next', async () => {
    const stop = hub.watch('org:1', watcher().watch);
    await seconds(2);
    stop();
    await seconds(3);
    expect(hub.mode).toBe('live');
    hub.watch('device:EC-1', watcher().watch);
    await seconds(10);
    expect(world.opened).toBe(1);
    expect(world.closed).toBe(0);
    expect([...world.joined.keys()]).toEqual(['device:EC-1:1']);
  });

  it('leases everything on the screen in one request, and again every ten seconds', async () => {
    hub.watch('org:1', watcher().watch);
    hub.watch('device:EC-1', watcher().watch);
    await seconds(25);
    expect(world.leases[0]).toEqual(['org:1', 'device:EC-1']);
    expect(world.leases.length).toBe(3);
    expect(world.opened).toBe(1);
  });

  it('hands events to everybody who watches the topic', async () => {
    const [a, b] = [watcher(), watcher()];
    hub.watch('org:1', a.watch);
    hub.watch('org:1', b.watch);
    await seconds(1);
    world.joined.get('org:1:1')?.event('fleet', { devices: [] });
    expect(a.seen.events).toEqual([['fleet', { devices: [] }]]);
    expect(b.seen.events).toHaveLength(1);
    expect(hub.lastPacketAt).not.toBeNull();
  });

  it('asks once after joining, so that nothing between the page and the socket is missed', async () => {
    const { watch, seen } = watcher();
    hub.watch('org:1', watch);
    await seconds(3);
    expect(seen.polls).toBe(1);
  });

  it('follows the topic to another epoch', async () => {
    hub.watch('org:1', watcher().watch);
    await seconds(1);
    world.epoch = 2;
    await seconds(10);
    expect([...world.joined.keys()]).toEqual(['org:1:2']);
  });

  it('polls while the socket is down, says so, and stops when it is back', async () => {
    const { watch, seen } = watcher();
    hub.watch('org:1', watch);
    await seconds(2);
    world.drop();
    expect(hub.mode).toBe('connecting');
    await seconds(12);
    expect(hub.mode).toBe('polling');
    expect(seen.polls).toBeGreaterThanOrEqual(3);

    world.joined.get('org:1:1')?.joined(true);
    await seconds(1);
    const before = seen.polls;
    await seconds(20);
    expect(hub.mode).toBe('live');
    expect(seen.polls).toBe(before);
  });

  it('polls when no lease can be had, and tells when even that fails', async () => {
    world.leaseFails = true;
    const { watch, seen } = watcher();
    hub.watch('org:1', watch);
    await seconds(10);
    expect(hub.mode).toBe('polling');
    seen.pollFails = true;
    await seconds(10);
    expect(hub.mode).toBe('stalled');
  });

  it('polls only what it may not join', async () => {
    world.refused.add('device:OTHER');
    const [open, closed] = [watcher(), watcher()];
    hub.watch('org:1', open.watch);
    hub.watch('device:OTHER', closed.watch);
    await seconds(15);
    expect(open.seen.polls).toBe(1);
    expect(closed.seen.polls).toBeGreaterThanOrEqual(2);
    expect(hub.mode).toBe('polling');
  });

  it('pauses in the background and catches up at once when looked at again', async () => {
    const { watch, seen } = watcher();
    hub.watch('org:1', watch);
    await seconds(2);
    hub.setVisible(false);
    expect(hub.mode).toBe('paused');
    const leases = world.leases.length;
    await seconds(60);
    expect(world.leases).toHaveLength(leases);

    const polls = seen.polls;
    hub.setVisible(true);
    await seconds(2);
    expect(hub.mode).toBe('live');
    expect(seen.polls).toBeGreaterThan(polls);
  });

  it('closes a socket that opened after everybody had left', async () => {
    let finish: () => void = () => {};
    const open = world.open;
    world.open = async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      return open();
    };
    const stop = hub.watch('org:1', watcher().watch);
    await seconds(1);
    stop();
    await seconds(10);
    finish();
    await seconds(1);
    expect(world.opened).toBe(1);
    expect(world.closed).toBe(1);
    expect(hub.mode).toBe('idle');
  });

  it('says offline while the browser has no network', async () => {
    hub.watch('org:1', watcher().watch);
    await seconds(2);
    hub.setOnline(false);
    expect(hub.mode).toBe('offline');
    hub.setOnline(true);
    await seconds(2);
    expect(hub.mode).toBe('live');
  });
});
