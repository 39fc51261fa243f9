import { route, type Route } from './route.ts';

/** Where the demo trackers drive: tours from a depot, on rough versions of real roads around Hamburg. Data. */
export interface TourPlan {
  tours: readonly Route[];
  /** Typical departures, local minutes since midnight; each one may be skipped. */
  departures: readonly number[];
  days: readonly number[];
  chance: number;
  /** Mean km/h including traffic. */
  pace: number;
}

const luebeck = route([
  [53.529, 10.085],
  [53.5515, 10.118],
  [53.5835, 10.1505],
  [53.618, 10.201],
  [53.653, 10.256],
  [53.702, 10.328],
  [53.756, 10.409],
  [53.8, 10.43],
  [53.826, 10.53],
  [53.856, 10.62],
  [53.8655, 10.6866],
]);
const bremen = route([
  [53.529, 10.085],
  [53.492, 10.056],
  [53.448, 10.006],
  [53.399, 9.964],
  [53.36, 9.88],
  [53.327, 9.8],
  [53.29, 9.62],
  [53.248, 9.45],
  [53.19, 9.27],
  [53.13, 9.1],
  [53.075, 8.95],
  [53.0793, 8.8017],
]);
const lueneburg = route([
  [53.529, 10.085],
  [53.492, 10.056],
  [53.438, 10.083],
  [53.4, 10.18],
  [53.36, 10.23],
  [53.3, 10.33],
  [53.2464, 10.4115],
]);
const port = route([
  [53.529, 10.085],
  [53.533, 10.048],
  [53.5395, 10.014],
  [53.543, 9.988],
  [53.534, 9.96],
  [53.518, 9.942],
  [53.503, 9.935],
  [53.4935, 9.9105],
]);
const airport = route([
  [53.5438, 9.9665],
  [53.5535, 9.9728],
  [53.567, 9.9822],
  [53.588, 9.9893],
  [53.6085, 9.995],
  [53.6304, 10.0066],
]);

export const TOUR_PLANS = {
  van: {
    tours: [luebeck, lueneburg, port],
    departures: [450, 790],
    days: [1, 2, 3, 4, 5],
    chance: 0.88,
    pace: 62,
  },
  truck: { tours: [bremen, luebeck], departures: [365, 760], days: [1, 2, 3, 4, 5], chance: 0.92, pace: 68 },
  saturday: { tours: [port, lueneburg], departures: [540], days: [2, 4, 6], chance: 0.8, pace: 48 },
  shuttle: {
    tours: [airport],
    departures: [390, 480, 600, 720, 840, 960, 1080, 1200, 1320],
    days: [0, 1, 2, 3, 4, 5, 6],
    chance: 0.8,
    pace: 34,
  },
} satisfies Record<string, TourPlan>;

export type TourPlanName = keyof typeof TOUR_PLANS;
