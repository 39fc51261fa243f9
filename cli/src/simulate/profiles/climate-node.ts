import { DAY, HOUR, localTime } from '../local-time.ts';
import { clamp, noise, round, seedOf } from '../random.ts';
import { batteryVolts, heapFree, lastReboot, wifiSignal, type Supply } from './health.ts';
import { peoplePresent } from './occupancy.ts';
import { HEATING_MODES, type Controls, type Packet, type Profile } from './profile.ts';
import { decay, Relaxation, SLOT } from './relax.ts';
import { ROOM_KINDS, type RoomKind, type RoomKindName } from './rooms.ts';

export interface ClimateNodeSpec {
  serial: string;
  room: RoomKindName;
  /** IANA zone the people of the room live by. */
  zone: string;
  fwVersion?: string;
  supply?: Supply;
  /** Bytes of heap lost per hour: a firmware with a leak. */
  leak?: number;
}

const OUTDOOR_CO2 = 420;
/** Air changes per hour the relay adds. */
const BOOST = 1.6;
const DEFAULT_SETPOINT = 21.5;
/** How far eco stays below the setpoint, and what off keeps the frost out with, °C. */
const ECO_BELOW = 3;
const FROST_SETPOINT = 7;

/** EC-CLIMATE-V1: the air of one room and the health of the board, with the keys of the product page. */
export function climateNode(spec: ClimateNodeSpec): Profile {
  const kind: RoomKind = ROOM_KINDS[spec.room];
  const seed = seedOf(spec.serial);
  const people = (at: number) => peoplePresent(kind.visits, seed, spec.zone, at);
  const co2 = new Relaxation(OUTDOOR_CO2 + 40, (slot) => airDrive(kind, people(slot), spec.zone, slot));
  const temp = new Relaxation(kind.heat.setback, (slot) =>
    heatDrive(kind, people(slot), seed, spec.zone, slot),
  );

  const sample = (at: number): Packet => {
    const present = people(Math.floor(at / SLOT) * SLOT);
    const air = co2.at(at);
    const heat = temp.at(at);
    const boot = lastReboot(seed, at);
    const uptime = Math.floor((at - boot.at) / 1_000);
    return {
      temp: round(heat + noise(seed + 1, at / 420_000) * 0.12 + noise(seed + 2, at / 15_000) * 0.06, 1),
      hum: round(humidity(kind, heat, air, seed, at), 1),
      co2: Math.round(air + noise(seed + 3, at / 90_000) * 9 + noise(seed + 4, at / 12_000) * 4),
      relay: present >= kind.air.boostFrom,
      bat: batteryVolts(spec.supply ?? 'mains', seed, at),
      signal: wifiSignal(seed, at, present),
      uptime,
      heap: heapFree(seed, at, uptime, spec.leak ?? 0),
      reboot_reason: boot.reason,
    };
  };
  return {
    productType: 'EC-CLIMATE-V1',
    fwVersion: spec.fwVersion ?? '1.2.0',
    sample,
    accept: acceptClimateControls,
    steer: climateSteering(),
  };
}

/** CO₂ heads for outdoor air plus what people breathe out, the slower the less the room is ventilated. */
function airDrive(kind: RoomKind, people: number, zone: string, slot: number) {
  const hour = localTime(zone, slot).minute / 60;
  const base = hour >= 7 && hour < 19 ? kind.air.day : kind.air.night;
  const rate = base + (people >= kind.air.boostFrom ? BOOST : 0);
  return { target: OUTDOOR_CO2 + (people * kind.air.perPerson * kind.air.day) / rate, rate };
}

function heatDrive(kind: RoomKind, people: number, seed: number, zone: string, slot: number) {
  const { minute, weekday } = localTime(zone, slot);
  const used = kind.visits.some((v) => v.days.includes(weekday) && minute > v.from - 100 && minute < v.to);
  const hour = minute / 60;
  const clear = 0.5 + 0.5 * noise(777, slot / DAY);
  const sun = kind.heat.sun * clear * Math.exp(-(((hour - kind.heat.sunHour) / 2.6) ** 2));
  const weather = noise(778, slot / (2.3 * DAY)) * 0.5 + noise(seed + 5, slot / (5 * HOUR)) * 0.25;
  const warmth = Math.min(people * 0.12, 1.6);
  const base = used ? kind.heat.comfort : kind.heat.setback;
  return { target: base + sun + weather + warmth, rate: used ? 0.75 : 0.24 };
}

/** Warm air holds more water, so its relative humidity falls; people (seen by their CO₂) add some back. */
function humidity(kind: RoomKind, temp: number, co2: number, seed: number, at: number): number {
  const day = noise(779, at / (1.7 * DAY)) * 5 + noise(seed + 6, at / (3 * HOUR)) * 1.5;
  const water = kind.humidity + day + (co2 - OUTDOOR_CO2) * 0.006;
  const relative = water * Math.exp(-0.055 * (temp - kind.heat.comfort));
  return clamp(relative + noise(seed + 7, at / 30_000) * 0.3, 12, 92);
}

function acceptClimateControls(desired: Record<string, unknown>): Controls {
  const accepted: Controls = {};
  if (typeof desired['relay'] === 'boolean') accepted.relay = desired['relay'];
  const setpoint = desired['setpoint'];
  if (typeof setpoint === 'number' && Number.isFinite(setpoint)) accepted.setpoint = clamp(setpoint, 5, 35);
  const mode = HEATING_MODES.find((known) => known === desired['mode']);
  if (mode) accepted.mode = mode;
  return accepted;
}

function aimOf({ setpoint = DEFAULT_SETPOINT, mode = 'auto' }: Controls): number {
  if (mode === 'off') return Math.min(setpoint, FROST_SETPOINT);
  return mode === 'eco' ? setpoint - ECO_BELOW : setpoint;
}

/**
 * What a person changed bends the room away from its plan, and the room follows at its own pace: forced
 * ventilation clears CO₂ in a quarter of an hour, another setpoint takes hold over an hour.
 */
function climateSteering() {
  let air = 0;
  let heat = 0;
  let last: number | undefined;
  return (packet: Packet, controls: Controls, at: number): Packet => {
    const elapsed = last === undefined ? 0 : Math.max(0, at - last);
    last = at;
    const planned = packet['relay'] === true;
    const relay = controls.relay ?? planned;
    air = decay(air, relay === planned ? 0 : relay ? -0.5 : 0.6, 4, elapsed);
    heat = decay(heat, (aimOf(controls) - DEFAULT_SETPOINT) * 0.85, 1, elapsed);
    return {
      ...packet,
      relay,
      co2: Math.round(OUTDOOR_CO2 + ((packet['co2'] as number) - OUTDOOR_CO2) * (1 + air)),
      temp: round((packet['temp'] as number) + heat, 1),
    };
  };
}
