import type { Org } from '@edgeconductor/sdk';
import { describe, expect, it } from 'vitest';
import { changesOf } from './org-changes.ts';

const org = { name: 'Acme', timezone: 'Europe/Berlin', product: null, plan: 'pro' } as Org;
const typed = { name: 'Acme', timezone: 'Europe/Berlin', product: '', plan: 'pro' as const };

describe('changes of an organisation', () => {
  it('are none when nothing differs, blanks around a name included', () => {
    expect(changesOf(org, { ...typed, name: ' Acme ' })).toBeNull();
  });

  it('hold only what was changed, and the way back', () => {
    expect(changesOf(org, { ...typed, name: 'Acme GmbH', product: 'tracker' })).toEqual({
      patch: { name: 'Acme GmbH', product: 'tracker' },
      before: { name: 'Acme', product: null },
    });
  });

  it('never empty a name or a zone', () => {
    expect(changesOf(org, { ...typed, name: ' ', timezone: '' })).toBeNull();
  });
});
