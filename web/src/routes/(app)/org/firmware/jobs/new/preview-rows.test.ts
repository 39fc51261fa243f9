import type { OtaPreviewDevice } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { previewCsv, rowsOf, whyNot } from './preview-rows.ts';

const device = (serial: string, change: Partial<OtaPreviewDevice> = {}): OtaPreviewDevice => ({
  serial,
  name: null,
  fw_version: '1.0.0',
  status: 'online',
  stage: 0,
  reason: null,
  detail: null,
  ...change,
});
const out = (serial: string, reason: OtaPreviewDevice['reason'], detail: unknown = null) =>
  device(serial, { stage: null, reason, detail });

const devices = [
  device('A-1', { name: 'Lab, "north"' }),
  device('A-2', { stage: 1, name: '=1+2' }),
  out('B-1', 'same_version'),
  out('B-2', 'busy', { job: 12 }),
];

describe('who gets an update and who does not', () => {
  it('is looked at by part, and searched by serial and name', () => {
    expect(rowsOf(devices, 'in', '').map(({ serial }) => serial)).toEqual(['A-1', 'A-2']);
    expect(rowsOf(devices, 'in', 'NORTH').map(({ serial }) => serial)).toEqual(['A-1']);
    expect(rowsOf(devices, 'same_version', '').map(({ serial }) => serial)).toEqual(['B-1']);
  });

  it('says why not, with the job that is in the way', () => {
    expect(whyNot(devices[2]!)).toBe('Reports this very version.');
    expect(whyNot(devices[3]!)).toBe('In another job (#12)');
    expect(whyNot(devices[0]!)).toBe('');
  });

  it('goes into a spreadsheet whole, and runs nothing there', () => {
    const stages = [
      { count: 1, soak_s: 0, devices: 1 },
      { percent: 100, soak_s: 0, devices: 1 },
    ];
    expect(previewCsv({ devices, stages }).split('\r\n')).toEqual([
      'serial,name,fw_version,status,gets_it,stage,reason',
      'A-1,"Lab, ""north""",1.0.0,online,yes,Canary,',
      "A-2,'=1+2,1.0.0,online,yes,All others,",
      'B-1,,1.0.0,online,no,,same_version',
      'B-2,,1.0.0,online,no,,busy',
      '',
    ]);
  });
});
