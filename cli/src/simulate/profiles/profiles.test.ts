import { describe, expect, it } from 'vitest';
import { KEY_PATTERN, MAX_PACKET_BYTES, parsePacket, createArrivalClock } from '@edgeconductor/sdk/contract';
import { DAY, HOUR, localTime, MINUTE } from '../local-time.ts';
import { seedOf } from '../random.ts';
import { climateNode } from './climate-node.ts';
import { lastReboot, lipoVolts, REBOOT_REASONS } from './health.ts';
import { peoplePresent } from './occupancy.ts';
import type { Packet, Profile } from './profile.ts';
import { ROOM_KINDS, type RoomKindName } from './rooms.ts';
import { metres, type Point } from './route.ts';
import { tracker } from './tracker.ts';
import { TOUR_PLANS, type TourPlanName } from './tours.ts';

const ZONE = 'Europe/Berlin';
const WEDNESDAY = Date.UTC(2026, 10, 18);
const ROOMS = Object.keys(ROOM_KINDS) as RoomKindName[];
const PLANS = Object.keys(TOUR_PLANS) as TourPlanName[];

const node = (room: RoomKindName, serial = `EC-CLM-${room}`) => climateNode({ serial, room, zone: ZONE });
const unit = (plan: TourPlanName, serial = `EC-TRK-${plan}`) => tracker({ serial, plan, zone: ZONE });
const numbers = (profile: Profile, key: string, from: number, to: number, step: number): number[] => {
  const values: number[] = [];
  for (let at = from; at < to; at += step) {
    const value = profile.sample(at)[key];
    if (typeof value === 'number') values.push(value);
  }
  return values;
};

describe('a profile', () => {
  it('gives the same packet for the same moment, whatever was asked before', () => {
    for (const make of [() => node('office'), () => unit('van')]) {
      const forwards = make();
      const backwards = make();
      const moments = Array.from({ length: 300 }, (_, i) => WEDNESDAY + i * 61 * MINUTE + i * 137);
      const seen = moments.map((at) => forwards.sample(at));
      expect(moments.toReversed().map((at) => backwards.sample(at))).toEqual(seen.toReversed());
    }
  });

  it('tells different devices apart', () => {
    const at = WEDNESDAY + 9 * HOUR;
    expect(node('office', 'EC-A').sample(at)).not.toEqual(node('office', 'EC-B').sample(at));
  });

  it('sends the keys of the product page', () => {
    expect(Object.keys(node('office').sample(WEDNESDAY))).toEqual([
      'temp',
      'hum',
      'co2',
      'relay',
      'bat',
      'signal',
      'uptime',
      'heap',
      'reboot_reason',
    ]);
    const driving = firstDriving(unit('van'));
    for (const key of ['gps_fix', 'sats', 'ttff', 'lat', 'lon', 'bat', 'signal', 'heap', 'uptime'])
      expect(driving).toHaveProperty(key);
  });

  it('sends packets the platform accepts', () => {
    const clock = createArrivalClock();
    for (const profile of [...ROOMS.map((r) => node(r)), ...PLANS.map((p) => unit(p))]) {
      const text = JSON.stringify(profile.sample(WEDNESDAY + 7 * HOUR));
      expect(text.length).toBeLessThan(MAX_PACKET_BYTES / 10);
      expect(Object.keys(profile.sample(WEDNESDAY)).every((key) => KEY_PATTERN.test(key))).toBe(true);
      expect(parsePacket(text, clock)).toMatchObject({ rejects: [], usable: true });
    }
  });
});

describe('a climate node', () => {
  it('stays within what a room and a board can be', () => {
    const ranges: Record<string, [number, number]> = {
      temp: [10, 32],
      hum: [15, 90],
      co2: [390, 2_600],
      bat: [3.3, 4.21],
      signal: [-92, -38],
      uptime: [0, 60 * 86_400],
      heap: [100_000, 200_000],
    };
    for (const room of ROOMS) {
      const profile = node(room);
      for (const [key, [low, high]] of Object.entries(ranges)) {
        const values = numbers(profile, key, WEDNESDAY, WEDNESDAY + 7 * DAY, 23 * MINUTE);
        expect(Math.min(...values), `${room} ${key}`).toBeGreaterThanOrEqual(low);
        expect(Math.max(...values), `${room} ${key}`).toBeLessThanOrEqual(high);
      }
    }
  });

  it('never jumps between two beats, not at midnight either', () => {
    const steps = (profile: Profile, key: string) => {
      const values = numbers(profile, key, WEDNESDAY - 6 * HOUR, WEDNESDAY + 12 * HOUR, 5_000);
      return Math.max(...values.slice(1).map((value, i) => Math.abs(value - values[i]!)));
    };
    for (const room of ROOMS) {
      expect(steps(node(room), 'temp'), room).toBeLessThanOrEqual(0.4);
      expect(steps(node(room), 'co2'), room).toBeLessThanOrEqual(30);
      expect(steps(node(room), 'hum'), room).toBeLessThanOrEqual(1.5);
    }
    for (const plan of PLANS) expect(steps(unit(plan), 'bat'), plan).toBeLessThanOrEqual(0.05);
  });

  it('has more CO₂ while people are there, and clears it when they leave', () => {
    const office = node('office');
    const workday = Math.max(
      ...numbers(office, 'co2', WEDNESDAY + 8 * HOUR, WEDNESDAY + 15 * HOUR, 5 * MINUTE),
    );
    const night = Math.max(...numbers(office, 'co2', WEDNESDAY, WEDNESDAY + 4 * HOUR, 5 * MINUTE));
    const sunday = Math.max(...numbers(office, 'co2', WEDNESDAY + 4 * DAY, WEDNESDAY + 5 * DAY, 5 * MINUTE));
    expect(workday).toBeGreaterThan(800);
    expect(night).toBeLessThan(520);
    expect(sunday).toBeLessThan(520);
  });

  it('follows people with a lag: CO₂ rises with every slot they stay and falls with every slot they are gone', () => {
    const serial = 'EC-CLM-lag';
    const office = node('office', serial);
    const people = (at: number) => peoplePresent(ROOM_KINDS.office.visits, seedOf(serial), ZONE, at);
    const mean = (at: number) => average(numbers(office, 'co2', at, at + 5 * MINUTE, 5_000));
    let arrival = WEDNESDAY + 5 * HOUR;
    while (people(arrival) === 0) arrival += 5 * MINUTE;
    let departure = arrival;
    while (people(departure) > 0 || localTime(ZONE, departure).minute < 17 * 60) departure += 5 * MINUTE;
    expect(mean(arrival + 30 * MINUTE)).toBeGreaterThan(mean(arrival) + 60);
    expect(mean(departure + HOUR)).toBeLessThan(mean(departure) - 100);
    expect(mean(departure + 5 * MINUTE)).toBeGreaterThan(550);
  });

  it('is cooler at night and drier when it is warm', () => {
    const office = node('office');
    const day = numbers(office, 'temp', WEDNESDAY + 9 * HOUR, WEDNESDAY + 15 * HOUR, 5 * MINUTE);
    const night = numbers(office, 'temp', WEDNESDAY + 22 * HOUR, WEDNESDAY + 28 * HOUR, 5 * MINUTE);
    expect(average(day)).toBeGreaterThan(average(night) + 1.5);
  });

  it('does what its shadow asks within range and bends its room slowly', () => {
    const office = node('office');
    const controls = office.accept!({ relay: true, setpoint: 99, gpio5: 1 });
    expect(controls).toEqual({ relay: true, setpoint: 35 });
    const start = WEDNESDAY + 20 * HOUR;
    const first = office.steer!(office.sample(start), controls, start);
    expect(first).toMatchObject({ relay: true, temp: office.sample(start)['temp'] });
    let last = first;
    for (let at = start; at <= start + 2 * HOUR; at += 5_000)
      last = office.steer!(office.sample(at), controls, at);
    expect(last['temp'] as number).toBeGreaterThan((office.sample(start + 2 * HOUR)['temp'] as number) + 4);
  });

  it('is cooler on eco than on auto, and cooler still when its heating is off', () => {
    const after = (mode: unknown): number => {
      const office = node('office');
      const controls = office.accept!({ setpoint: 24, mode });
      let last = 0;
      for (let at = WEDNESDAY; at <= WEDNESDAY + 3 * HOUR; at += MINUTE)
        last = office.steer!(office.sample(at), controls, at)['temp'] as number;
      return last;
    };
    expect(after('eco')).toBeLessThan(after('auto') - 2);
    expect(after('off')).toBeLessThan(after('eco') - 2);
    expect(after('tropical'), 'what it does not know changes nothing').toBe(after(undefined));
  });

  it('has a weak battery below the alarm floor when it is told to', () => {
    const weak = climateNode({ serial: 'EC-CLM-weak', room: 'store', zone: ZONE, supply: 'weak' });
    expect(Math.max(...numbers(weak, 'bat', WEDNESDAY, WEDNESDAY + 7 * DAY, HOUR))).toBeLessThan(3.5);
  });
});

describe('a tracker', () => {
  it('moves only as fast as it says', () => {
    for (const plan of PLANS) {
      const profile = unit(plan);
      let before = profile.sample(WEDNESDAY);
      for (let at = WEDNESDAY + 15_000; at < WEDNESDAY + DAY; at += 15_000) {
        const now = profile.sample(at);
        const moved = placed(before) && placed(now) ? metres(pointOf(before), pointOf(now)) : 0;
        const fastest = Math.max(now['speed'] as number, before['speed'] as number) / 3.6;
        expect(moved, `${plan} at ${new Date(at).toISOString()}`).toBeLessThan(fastest * 15 * 1.15 + 40);
        before = now;
      }
    }
  });

  it('is at its depot at night and somewhere else on a working day', () => {
    const van = unit('van');
    const home = van.sample(WEDNESDAY + 2 * HOUR);
    let far = 0;
    for (let at = WEDNESDAY; at < WEDNESDAY + 3 * DAY; at += 5 * MINUTE) {
      const now = van.sample(at);
      if (placed(now) && placed(home)) far = Math.max(far, metres(pointOf(now), pointOf(home)));
    }
    expect(far).toBeGreaterThan(5_000);
  });

  it('charges while it drives and drains while it stands', () => {
    const van = unit('van');
    let charged = 0;
    let drained = 0;
    for (let at = WEDNESDAY; at < WEDNESDAY + 2 * DAY; at += 10 * MINUTE) {
      const change = (van.sample(at + 10 * MINUTE)['bat'] as number) - (van.sample(at)['bat'] as number);
      const driving =
        (van.sample(at)['speed'] as number) > 0 && (van.sample(at + 10 * MINUTE)['speed'] as number) > 0;
      if (driving) charged += change;
      else drained += change;
    }
    expect(charged).toBeGreaterThanOrEqual(0);
    expect(drained).toBeLessThan(0);
  });

  it('has no position without a fix, and a signal that is its CSQ in dBm', () => {
    const van = unit('shuttle');
    let lost = 0;
    for (let at = WEDNESDAY; at < WEDNESDAY + 7 * DAY; at += 10 * MINUTE) {
      const now = van.sample(at);
      expect(now['signal']).toBe(-113 + 2 * (now['csq'] as number));
      expect(placed(now)).toBe(now['gps_fix']);
      if (!placed(now)) lost++;
    }
    expect(lost).toBeGreaterThan(0);
  });
});

describe('the board', () => {
  it('counts its uptime from the last restart and names the reason', () => {
    const seed = seedOf('EC-1');
    for (let at = WEDNESDAY; at < WEDNESDAY + 30 * DAY; at += 7 * HOUR) {
      const boot = lastReboot(seed, at);
      expect(boot.at).toBeLessThanOrEqual(at);
      expect(REBOOT_REASONS).toContain(boot.reason);
    }
    expect(lastReboot(seed, WEDNESDAY + 60 * DAY).at).toBeGreaterThan(lastReboot(seed, WEDNESDAY).at);
  });

  it('reads a cell from 3.3 to 4.2 V, rising', () => {
    const volts = Array.from({ length: 101 }, (_, i) => lipoVolts(i / 100));
    expect(volts[0]).toBe(3.3);
    expect(volts[100]).toBe(4.2);
    expect(volts.toSorted((a, b) => a - b)).toEqual(volts);
  });
});

describe('people', () => {
  it('keep office hours on the local clock, also after the clocks change', () => {
    const visits = ROOM_KINDS.workshop.visits;
    const at = (iso: string) => peoplePresent(visits, 7, ZONE, Date.parse(iso));
    expect(at('2026-10-23T07:00+02:00')).toBeGreaterThan(5);
    expect(at('2026-10-26T07:00+01:00')).toBeGreaterThan(5);
    expect(at('2026-10-26T05:15+01:00')).toBe(0);
  });

  it('stay the night across midnight', () => {
    const visits = ROOM_KINDS.guest.visits;
    const nights = Array.from({ length: 20 }, (_, i) => WEDNESDAY + i * DAY + 2 * HOUR);
    const taken = nights.filter((at) => peoplePresent(visits, 3, ZONE, at) > 0).length;
    expect(taken).toBeGreaterThan(8);
    expect(taken).toBeLessThan(20);
  });
});

function average(values: number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function placed(packet: Packet): boolean {
  return typeof packet['lat'] === 'number';
}

function pointOf(packet: Packet): Point {
  return [packet['lat'] as number, packet['lon'] as number];
}

function firstDriving(profile: Profile): Packet {
  for (let at = WEDNESDAY; ; at += 5 * MINUTE) {
    const packet = profile.sample(at);
    if ((packet['speed'] as number) > 0) return packet;
  }
}
