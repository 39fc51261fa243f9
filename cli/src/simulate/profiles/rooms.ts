import { EVERY_DAY, WEEKDAYS, WEEKEND, type Visit } from './occupancy.ts';

/** The rooms of the demo buildings: their air, their heating and their habits. climate-node.ts makes weather of it. */
export interface RoomKind {
  air: {
    /** What one person adds to CO₂ at balance while the building ventilates by day, ppm. */
    perPerson: number;
    /** Air changes per hour from 7:00 to 19:00, and at other times. */
    day: number;
    night: number;
    /** From this many people on the relay switches extra ventilation on by itself. */
    boostFrom: number;
  };
  heat: {
    /** °C while in use and when set back, before weather and people. */
    comfort: number;
    setback: number;
    /** How far a clear sky lifts the room, °C, and the local hour at which it does. */
    sun: number;
    sunHour: number;
  };
  /** Relative humidity (%) at comfort temperature without people. */
  humidity: number;
  visits: readonly Visit[];
}

const office: Visit[] = [
  { days: WEEKDAYS, from: 505, to: 725, spread: 22, chance: 0.85, people: 6 },
  { days: WEEKDAYS, from: 765, to: 1030, spread: 28, chance: 0.82, people: 6 },
];
const meetings = [540, 600, 660, 780, 840, 900, 960].map((from): Visit => ({
  days: WEEKDAYS,
  from,
  to: from + 52,
  spread: 4,
  chance: 0.55,
  people: [3, 9],
}));
const guests: Visit[] = [
  { days: EVERY_DAY, from: 1110, to: 1950, spread: 45, chance: 0.74, people: [1, 2] },
  { days: EVERY_DAY, from: 930, to: 1020, spread: 25, chance: 0.4, people: [1, 2] },
];
const shifts: Visit[] = [
  { days: WEEKDAYS, from: 360, to: 838, spread: 7, chance: 0.95, people: 9 },
  { days: WEEKDAYS, from: 840, to: 1318, spread: 7, chance: 0.93, people: 7 },
  { days: WEEKEND, from: 480, to: 760, spread: 15, chance: 0.6, people: 2 },
];
const canteen: Visit[] = [
  { days: WEEKDAYS, from: 690, to: 790, spread: 16, chance: 0.9, people: 22 },
  { days: WEEKDAYS, from: 560, to: 580, spread: 10, chance: 0.7, people: 8 },
];
const lobby: Visit[] = [
  { days: EVERY_DAY, from: 420, to: 660, spread: 40, chance: 0.7, people: 6 },
  { days: EVERY_DAY, from: 900, to: 1380, spread: 70, chance: 0.7, people: 8 },
  { days: EVERY_DAY, from: 0, to: 1440, spread: 1, chance: 1, people: 1 },
];
const restaurant: Visit[] = [
  { days: EVERY_DAY, from: 405, to: 615, spread: 35, chance: 0.8, people: 16 },
  { days: EVERY_DAY, from: 1095, to: 1335, spread: 40, chance: 0.75, people: 26 },
];

export const ROOM_KINDS = {
  office: {
    air: { perPerson: 210, day: 1.1, night: 0.5, boostFrom: 5 },
    heat: { comfort: 21.6, setback: 18.2, sun: 1.1, sunHour: 14 },
    humidity: 44,
    visits: office,
  },
  meeting: {
    air: { perPerson: 185, day: 1.5, night: 0.6, boostFrom: 5 },
    heat: { comfort: 21.4, setback: 18.4, sun: 0.7, sunHour: 11 },
    humidity: 43,
    visits: meetings,
  },
  workshop: {
    air: { perPerson: 95, day: 2.2, night: 1.5, boostFrom: 8 },
    heat: { comfort: 19.4, setback: 16.2, sun: 0.9, sunHour: 13 },
    humidity: 47,
    visits: shifts,
  },
  canteen: {
    air: { perPerson: 58, day: 2.6, night: 0.7, boostFrom: 14 },
    heat: { comfort: 21.2, setback: 17.8, sun: 1.2, sunHour: 13 },
    humidity: 49,
    visits: canteen,
  },
  server: {
    air: { perPerson: 120, day: 3, night: 3, boostFrom: 3 },
    heat: { comfort: 19, setback: 19, sun: 0, sunHour: 12 },
    humidity: 36,
    visits: [],
  },
  store: {
    air: { perPerson: 120, day: 0.6, night: 0.4, boostFrom: 3 },
    heat: { comfort: 15.8, setback: 14.6, sun: 0.5, sunHour: 14 },
    humidity: 52,
    visits: [{ days: WEEKDAYS, from: 480, to: 960, spread: 30, chance: 0.35, people: 2 }],
  },
  lobby: {
    air: { perPerson: 62, day: 2, night: 1.2, boostFrom: 11 },
    heat: { comfort: 21, setback: 19.8, sun: 1.4, sunHour: 16 },
    humidity: 46,
    visits: lobby,
  },
  guest: {
    air: { perPerson: 330, day: 0.9, night: 0.6, boostFrom: 4 },
    heat: { comfort: 21.8, setback: 19.4, sun: 0.8, sunHour: 15 },
    humidity: 47,
    visits: guests,
  },
  restaurant: {
    air: { perPerson: 46, day: 2.8, night: 2.2, boostFrom: 20 },
    heat: { comfort: 21.7, setback: 18.6, sun: 1, sunHour: 18 },
    humidity: 51,
    visits: restaurant,
  },
  spa: {
    air: { perPerson: 150, day: 2.4, night: 1.6, boostFrom: 7 },
    heat: { comfort: 26.4, setback: 23.8, sun: 0.6, sunHour: 15 },
    humidity: 63,
    visits: [{ days: EVERY_DAY, from: 600, to: 1260, spread: 60, chance: 0.5, people: 7 }],
  },
} satisfies Record<string, RoomKind>;

export type RoomKindName = keyof typeof ROOM_KINDS;
