import { HOUR, localTime, MINUTE } from '../local-time.ts';
import { clamp, noise, round, seedOf, unit } from '../random.ts';
import { csqToDbm, gsmQuality, heapFree, lastReboot, lipoVolts } from './health.ts';
import type { Packet, Profile } from './profile.ts';
import { Relaxation } from './relax.ts';
import { along, offset, type Route } from './route.ts';
import { TOUR_PLANS, type TourPlan, type TourPlanName } from './tours.ts';

export interface TrackerSpec {
  serial: string;
  plan: TourPlanName;
  zone: string;
  fwVersion?: string;
  /** The cell is worn: it loses a third of its charge in a parked night. */
  worn?: boolean;
}

interface Motion {
  road: Route;
  /** Metres from the depot. */
  distance: number;
  /** km/h. */
  speed: number;
  driving: boolean;
  /** Numbers the trip, so that what is decided once per trip stays for the trip. */
  trip: number;
}

/** tracker: a GSM unit in a vehicle. Drives its tours, charges from the engine, drains while parked. */
export function tracker(spec: TrackerSpec): Profile {
  const plan: TourPlan = TOUR_PLANS[spec.plan];
  const seed = seedOf(spec.serial);
  // Parked cells forget slowly; the engine wipes the memory, and eight days hold several tours of any plan.
  const charge = new Relaxation(
    0.8,
    (slot) =>
      motion(plan, seed, spec.zone, slot).driving
        ? { target: 1.02, rate: 1.1 }
        : { target: 0.05, rate: spec.worn ? 0.035 : 0.011 },
    8,
  );

  const sample = (at: number): Packet => {
    const now = motion(plan, seed, spec.zone, at);
    const boot = lastReboot(seed, at);
    const uptime = Math.floor((at - boot.at) / 1_000);
    const place = (now.road.at.length + now.distance) / 1_000;
    const csq = gsmQuality(seed, at, place);
    return {
      ...position(now, seed, at),
      speed: round(now.speed, 1),
      temp: cargoTemp(spec.zone, seed, at, now.driving),
      bat: round(lipoVolts(charge.at(at)) + (now.driving ? 0.03 : 0), 2),
      csq,
      signal: csqToDbm(csq),
      uptime,
      heap: heapFree(seed, at, uptime, 0),
      reboot_reason: boot.reason,
    };
  };
  return { productType: 'tracker', fwVersion: spec.fwVersion ?? '2.1.3', sample };
}

/** An unheated hold: the day outside, two hours late, and the warmth of whoever rides along. */
function cargoTemp(zone: string, seed: number, at: number, driving: boolean): number {
  const hour = localTime(zone, at - 2 * HOUR).minute / 60;
  const day = Math.sin(((hour - 8) / 12) * Math.PI);
  return round(
    11 + day * 3.2 + noise(778, at / (40 * HOUR)) * 2.5 + noise(seed + 66, at / HOUR) + (driving ? 0.4 : 0),
    1,
  );
}

/** Under the depot's roof a parked unit sees few satellites and now and then loses its fix for a while. */
function position(now: Motion, seed: number, at: number): Packet {
  const open = now.driving ? 1 : 0.55;
  const sats = Math.round(clamp(open * 11 + noise(seed + 61, at / (4 * MINUTE)) * 2.4, 0, 14));
  const lost = now.driving ? sats < 4 : noise(seed + 62, at / HOUR) < -0.72;
  const ttff = round(11 + unit(seed, now.trip, 63) * 24, 1);
  if (lost) return { gps_fix: false, sats: Math.min(sats, 3), ttff };
  const blur = now.driving ? 4 : 2;
  const [lat, lon] = offset(
    along(now.road, now.distance),
    noise(seed + 64, at / 30_000) * blur,
    noise(seed + 65, at / 30_000) * blur,
  );
  return { gps_fix: true, sats: Math.max(sats, 4), ttff, lat: round(lat, 6), lon: round(lon, 6) };
}

/** Where the vehicle is: out along a tour, a stop at its end, back the same way; parked at the depot otherwise. */
function motion(plan: TourPlan, seed: number, zone: string, at: number): Motion {
  const { day, minute, weekday } = localTime(zone, at);
  let last = day * 16 - 1;
  if (plan.days.includes(weekday)) {
    for (let i = 0; i < plan.departures.length; i++) {
      const trip = day * 16 + i;
      if (unit(seed, trip, 71) >= plan.chance) continue;
      const start = plan.departures[i]! + unit(seed, trip, 72) * 40;
      if (minute < start) break;
      const road = plan.tours[Math.floor(unit(seed, trip, 73) * plan.tours.length)]!;
      const leg = (road.length / 1_000 / (plan.pace * (0.88 + unit(seed, trip, 74) * 0.24))) * 60;
      const stop = 12 + unit(seed, trip, 75) * 38;
      const gone = minute - start;
      if (gone < leg) return drive(road, gone / leg, leg, 1, trip);
      if (gone < leg + stop) return { road, distance: road.length, speed: 0, driving: false, trip };
      if (gone < 2 * leg + stop) return drive(road, (gone - leg - stop) / leg, leg, -1, trip);
      last = trip;
    }
  }
  return { road: plan.tours[0]!, distance: 0, speed: 0, driving: false, trip: last };
}

/** Traffic as a distance that runs ahead of and behind the mean in waves; never backwards (0.75 < 1). */
function drive(road: Route, part: number, legMinutes: number, direction: 1 | -1, trip: number): Motion {
  const waves = Math.max(2, Math.round(legMinutes / 7));
  const turn = 2 * Math.PI * waves;
  const gone = part - (0.75 * Math.sin(turn * part)) / turn;
  const speed = ((road.length / 1_000) * (1 - 0.75 * Math.cos(turn * part))) / (legMinutes / 60);
  const distance = direction === 1 ? gone * road.length : (1 - gone) * road.length;
  return { road, distance, speed, driving: true, trip };
}
