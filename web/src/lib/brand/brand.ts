import { contrast } from '../../styles/colour-math.ts';

/** The four brand roles of tokens.css in one theme, as `#rrggbb`. */
export interface BrandColours {
  brand: string;
  strong: string;
  ink: string;
  soft: string;
}

/** How an org looks: its name, its logo when it has one we may show, and its colour when it chose one. */
export interface Brand {
  name: string;
  /** A data URI of an image or a path of this site; anything else would not pass the content policy. */
  logo: string | null;
  colours: { light: BrandColours; dark: BrandColours } | null;
}

const HEX = /^#[0-9a-f]{6}$/i;
const LOGO = /^(data:image\/(png|jpeg|webp|svg\+xml)[;,]|\/(?![/\\]))/;
/** As small print has to be read on it (WCAG AA). */
const READABLE = 4.5;
// The surfaces of tokens.css that brand colours stand on, the hardest one first.
const LIGHT = ['#ebefec', '#f3f5f3', '#ffffff'];
const DARK = ['#1e2624', '#161c1b', '#0f1413'];

/** `orgs.brand` is free JSON: what is not understood counts as not given. */
export function readBrand(brand: unknown, name: string): Brand {
  const given = typeof brand === 'object' && brand !== null ? (brand as Record<string, unknown>) : {};
  const colour = [given['colour'], given['color']].find((value) => typeof value === 'string');
  const logo = given['logo'];
  return {
    name: typeof given['name'] === 'string' && given['name'].trim() ? given['name'] : name,
    logo: typeof logo === 'string' && LOGO.test(logo) ? logo : null,
    colours: typeof colour === 'string' && HEX.test(colour) ? coloursFrom(colour.toLowerCase()) : null,
  };
}

/** One chosen colour, made readable in both themes: darker on light surfaces, lighter on dark ones. */
export function coloursFrom(hex: string): { light: BrandColours; dark: BrandColours } {
  return {
    light: readable(hex, LIGHT, '#000000', '#ffffff', 0.12),
    dark: readable(hex, DARK, '#ffffff', '#161c1b', 0.18),
  };
}

function readable(
  hex: string,
  surfaces: readonly string[],
  towards: string,
  base: string,
  tint: number,
): BrandColours {
  for (let share = 0; ; share = Math.min(1, share + 0.04)) {
    const brand = mix(hex, towards, share);
    const soft = mix(base, brand, tint);
    if (share === 1 || [...surfaces, soft].every((surface) => contrast(brand, surface) >= READABLE)) {
      const ink = towards === '#000000' ? '#ffffff' : mix(brand, '#000000', 0.86);
      return { brand, strong: mix(brand, towards, 0.28), ink, soft };
    }
  }
}

/** `share` of `b` in `a`, per channel. */
function mix(a: string, b: string, share: number): string {
  const channel = (at: number) => {
    const [x, y] = [parseInt(a.slice(at, at + 2), 16), parseInt(b.slice(at, at + 2), 16)];
    return Math.round(x + (y - x) * share)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

/** The custom properties that replace the product's own colours; empty for an org without a colour. */
export function brandStyle({ colours }: Brand): string {
  if (!colours) return '';
  const { light, dark } = colours;
  const pair = (role: keyof BrandColours) => `light-dark(${light[role]}, ${dark[role]})`;
  return [
    `--brand: ${pair('brand')}`,
    `--brand-strong: ${pair('strong')}`,
    `--brand-ink: ${pair('ink')}`,
    `--brand-soft: ${pair('soft')}`,
    `--focus: ${pair('brand')}`,
  ].join('; ');
}

/** Two letters that stand for an org without a logo. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s\-_.&]+/).filter(Boolean);
  const letters =
    words.length > 1 ? words.slice(0, 2).map((word) => word[0]) : [...(words[0] ?? '?')].slice(0, 2);
  return letters.join('').toUpperCase();
}
