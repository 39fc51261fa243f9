import { describe, expect, it } from 'vitest';
import { deviceChanges, typedFrom } from './device-changes.ts';

const device = { name: 'Lab', location_id: 'r1', tags: ['battery', 'critical'] };

describe('changes of a device', () => {
  it('are none when nothing differs, whatever the order of the tags', () => {
    expect(deviceChanges(device, typedFrom(device))).toBeNull();
    expect(deviceChanges(device, { ...typedFrom(device), tags: ' critical,battery, ' })).toBeNull();
  });

  it('hold what differs and the way back', () => {
    expect(deviceChanges(device, { name: ' ', room: '', tags: 'new, battery, new' })).toEqual({
      patch: { name: null, location_id: null, tags: ['battery', 'new'] },
      before: { name: 'Lab', location_id: 'r1', tags: ['battery', 'critical'] },
    });
  });
});
