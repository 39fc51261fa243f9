import type { DeviceDiagnostics, HealthVerdict } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { concerns } from './concerns.ts';
import { coordinates, mapView, METRES_PER_DEGREE, type Place } from './map-view.ts';
import { restartWord } from './restart-words.ts';

const judged = (level: HealthVerdict['level']) => ({
  verdict: { level, code: 'x', text: `It is ${level}.`, advice: null },
});

describe('what needs somebody', () => {
  const of = (parts: Record<string, ReturnType<typeof judged> | null>) =>
    concerns({
      ...{ battery: null, signal: null, heap: null, loss: null, skew: null, gps: null },
      reboots: judged('ok'),
      ...parts,
    } as unknown as DeviceDiagnostics).map(({ part }) => part);

  it('is the worst first, and nothing that is well or unknown', () => {
    expect(
      of({ battery: judged('warn'), signal: judged('ok'), heap: judged('bad'), loss: judged('unknown') }),
    ).toEqual(['Memory', 'Battery']);
    expect(of({})).toEqual([]);
  });
});

describe('why it started', () => {
  it.each([
    ['PANIC', 'Crashed', 'bad'],
    ['TASK_WDT', 'Hung, restarted by its watchdog', 'bad'],
    ['BROWNOUT', 'Supply voltage too low', 'warn'],
    ['SW', 'Restarted by software', 'ok'],
    ['SOLAR_FLARE', 'SOLAR_FLARE', 'ok'],
    [null, 'The device did not say why', 'ok'],
  ])('%s', (reason, word, level) => expect(restartWord(reason)).toEqual({ word, level }));
});

describe('the map', () => {
  const hamburg: Place[] = [
    [53.529, 10.085],
    [53.8655, 10.6866],
    [53.7, 10.3],
  ];

  it.each([
    [640, 320],
    [320, 280],
    [200, 600],
  ])('holds every place within %i × %i px, north up, east right', (width, height) => {
    const view = mapView(hamburg, width, height);
    for (const [lat, lon] of hamburg) {
      expect(view.x(lon)).toBeGreaterThanOrEqual(29);
      expect(view.x(lon)).toBeLessThanOrEqual(width - 29);
      expect(view.y(lat)).toBeGreaterThanOrEqual(29);
      expect(view.y(lat)).toBeLessThanOrEqual(height - 29);
    }
    expect(view.y(53.8)).toBeLessThan(view.y(53.6));
    expect(view.x(10.6)).toBeGreaterThan(view.x(10.1));
  });

  it('keeps shapes: as many metres to a pixel eastwards as northwards', () => {
    const view = mapView(hamburg, 640, 320);
    const mid = (53.529 + 53.8655) / 2;
    const north = (view.y(mid) - view.y(mid + 0.01)) * view.metresPerPx;
    const east = (view.x(10.31) - view.x(10.3)) * view.metresPerPx;
    expect(north).toBeCloseTo(0.01 * METRES_PER_DEGREE, 3);
    expect(east).toBeCloseTo(0.01 * METRES_PER_DEGREE * Math.cos((mid * Math.PI) / 180), 3);
  });

  it('has a bar of a round length that is as long as it says', () => {
    for (const places of [hamburg, [hamburg[0]!], [hamburg[0]!, [53.53, 10.09] as Place]]) {
      const { bar, metresPerPx } = mapView(places, 640, 320);
      const metres = bar.label.endsWith(' km')
        ? Number(bar.label.slice(0, -3)) * 1000
        : Number(bar.label.slice(0, -2));
      expect(bar.px * metresPerPx).toBeCloseTo(metres, 6);
      expect(bar.px).toBeGreaterThan(40);
      expect(bar.px).toBeLessThanOrEqual(110);
      expect(String(metres)).toMatch(/^[125]0*$/);
    }
  });

  it('shows a single place with what lies around it, and some lines of degrees', () => {
    const { metresPerPx, lats, lons } = mapView([hamburg[0]!], 640, 320);
    expect(metresPerPx).toBeCloseTo(240 / 260, 5);
    expect(lats.length).toBeGreaterThanOrEqual(2);
    expect(lons.length).toBeGreaterThanOrEqual(2);
    expect(lats[0]!.label).toMatch(/^53\.\d+° N$/);
  });

  it('names the halves of the earth', () => {
    const labels = (place: Place) => {
      const { lats, lons } = mapView([place], 400, 300);
      return [lats[0]!.label.slice(-1), lons[0]!.label.slice(-1)];
    };
    expect(labels([-33.9, 151.2])).toEqual(['S', 'E']);
    expect(labels([40.7, -74])).toEqual(['N', 'W']);
    expect(mapView([[89.99, 0]], 400, 300).lons.length).toBeLessThan(20);
  });

  it('tells a place as maps understand it', () =>
    expect(coordinates(53.5501234, -0.1)).toBe('53.55012, -0.10000'));
});
