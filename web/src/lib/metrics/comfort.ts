/** Room climate in words a person would use. Bands: EN 16798-1 category II, rounded to what people notice. */

export type ComfortLevel = 'good' | 'fair' | 'poor' | 'unknown';

export interface Comfort {
  level: ComfortLevel;
  /** One or two words: "Comfortable", "Stuffy". */
  word: string;
  /** A plain sentence saying why, and what helps. */
  advice: string;
  /** The reading that decided, null when all is well or unknown. */
  because: string | null;
}

interface Finding extends Comfort {
  weight: number;
}

/** `values` by metric key: temp °C, hum %, co2 ppm. Missing readings are not judged. */
export function comfortOf(values: Readonly<Record<string, unknown>>): Comfort {
  const findings = [air(values['co2']), warmth(values['temp']), moisture(values['hum'])];
  const known = findings.filter((finding) => finding !== null);
  if (known.length === 0) {
    return {
      level: 'unknown',
      word: 'No readings',
      advice: 'No fresh climate reading from this room.',
      because: null,
    };
  }
  const worst = known.reduce((a, b) => (b.weight > a.weight ? b : a));
  return { level: worst.level, word: worst.word, advice: worst.advice, because: worst.because };
}

const FINE = {
  level: 'good',
  word: 'Comfortable',
  advice: 'Nothing to do.',
  because: null,
  weight: 0,
} as const;

function air(co2: unknown): Finding | null {
  if (typeof co2 !== 'number') return null;
  if (co2 >= 1400) return poor('Bad air', 'Open a window now or let people out for ten minutes.', 'co2', 6);
  if (co2 >= 1000) return fair('Stuffy', 'Opening a window would help.', 'co2', 3);
  return FINE;
}

function warmth(temp: unknown): Finding | null {
  if (typeof temp !== 'number') return null;
  if (temp >= 28) return poor('Hot', 'Shade the windows and check the cooling.', 'temp', 5);
  if (temp >= 26) return fair('A little warm', 'The cooling could do a little more.', 'temp', 2);
  if (temp < 17) return poor('Cold', 'Check the heating and the windows.', 'temp', 5);
  if (temp < 19.5) return fair('A little cool', 'The heating could do a little more.', 'temp', 2);
  return FINE;
}

function moisture(hum: unknown): Finding | null {
  if (typeof hum !== 'number') return null;
  if (hum >= 75) return poor('Damp', 'Air the room well; mould grows in air this damp.', 'hum', 4);
  if (hum >= 65) return fair('A little damp', 'Airing the room would help.', 'hum', 1);
  if (hum < 20) return poor('Very dry', 'Air briefly and consider a humidifier.', 'hum', 4);
  if (hum < 30) return fair('A little dry', 'Air briefly instead of long.', 'hum', 1);
  return FINE;
}

const fair = (word: string, advice: string, because: string, weight: number): Finding => ({
  level: 'fair',
  word,
  advice,
  because,
  weight,
});
const poor = (word: string, advice: string, because: string, weight: number): Finding => ({
  level: 'poor',
  word,
  advice,
  because,
  weight,
});
