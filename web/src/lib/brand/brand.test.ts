import { describe, expect, it } from 'vitest';
import { contrast } from '../../styles/colour-math.ts';
import { brandStyle, coloursFrom, initialsOf, readBrand } from './brand.ts';

const ANY = [
  '#000000',
  '#ffffff',
  '#ffee00',
  '#e4002b',
  '#0b6478',
  '#7f7f7f',
  '#00ff88',
  '#1a237e',
  '#f8bbd0',
];

describe('an org’s colour', () => {
  it.each(ANY)('%s becomes readable on every surface, as text and under the words of a button', (hex) => {
    const { light, dark } = coloursFrom(hex);
    for (const [colours, surfaces] of [
      [light, ['#ffffff', '#f3f5f3', '#ebefec']],
      [dark, ['#0f1413', '#161c1b', '#1e2624']],
    ] as const) {
      for (const surface of [...surfaces, colours.soft])
        expect(contrast(colours.brand, surface), `${colours.brand} on ${surface}`).toBeGreaterThanOrEqual(
          4.5,
        );
      expect(contrast(colours.ink, colours.brand)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(colours.ink, colours.strong)).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('is left as it is where it reads well already', () => {
    expect(coloursFrom('#0b6478').light.brand).toBe('#0b6478');
  });
});

describe('an org’s brand', () => {
  it('takes the colour, a logo that may be shown, and its own name', () => {
    const brand = readBrand(
      { colour: '#E4002B', logo: 'data:image/png;base64,AAAA', name: 'Harbour' },
      'Harbour Hotel',
    );
    expect(brand.name).toBe('Harbour');
    expect(brand.logo).toBe('data:image/png;base64,AAAA');
    expect(brandStyle(brand)).toContain('--brand: light-dark(#');
  });

  it.each([
    null,
    'red',
    {},
    { colour: 'red; background: url(https://evil.example)', logo: 'https://evil.example/a.png' },
    { colour: 7, logo: '//evil.example/a.png' },
    { color: '#12', logo: 'data:text/html,<script>' },
    { logo: '/\\evil.example/a.png' },
  ])('ignores what it does not understand: %j', (given) => {
    const brand = readBrand(given, 'Acme');
    expect(brand).toEqual({ name: 'Acme', logo: null, colours: null });
    expect(brandStyle(brand)).toBe('');
  });

  it('has two letters in place of a missing logo', () => {
    expect(initialsOf('Harbour Hotel')).toBe('HH');
    expect(initialsOf('acme')).toBe('AC');
    expect(initialsOf('Müller & Söhne GmbH')).toBe('MS');
    expect(initialsOf('')).toBe('?');
  });
});
