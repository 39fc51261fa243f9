import { describe, expect, it } from 'vitest';
import { SLUG_PATTERN, slugOf } from './slug.ts';

describe('the short name of an organisation', () => {
  it.each([
    ['Harbour Hotel & Spa', 'harbour-hotel-spa'],
    ['  Müller Straße 7 ', 'muller-strasse-7'],
    ['ÉCLAIR', 'eclair'],
    ['!!!', ''],
    ['x'.repeat(70), 'x'.repeat(63)],
    [`${'x'.repeat(62)} y`, 'x'.repeat(62)],
  ])('%s is %s', (name, slug) => {
    expect(slugOf(name)).toBe(slug);
  });

  it('fits the pattern the field asks for', () => {
    expect(slugOf('Bürohaus 12 – Süd')).toMatch(new RegExp(`^${SLUG_PATTERN}$`));
  });
});
