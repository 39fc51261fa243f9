import { isMetricKey, MAX_DEPTH, MAX_MAGNITUDE, MAX_STRING_BYTES } from '@edgeconductor/sdk/contract';

/** Where a text stops being what it should be, for people: lines and columns count from 1. */
export interface Fault {
  /** Offset in the text. */
  at: number;
  line: number;
  column: number;
  message: string;
}

export type ReadText = { value: unknown; fault: null } | { value: null; fault: Fault };

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_$][\w$]*/y;
const LITERALS: ReadonlyMap<string, unknown> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '"': '"', '\\': '\\', '/': '/', b: '\b' },
  ...{ f: '\f', n: '\n', r: '\r', t: '\t' },
};
/** Of a payload: the page must not run out of stack. */
const MOST_LEVELS = 64;
/** Half a surrogate pair cannot be written as UTF-8, NUL not be stored. */
const UNSTORABLE = /[\0\p{Cs}]/u;

class Broken extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** Any JSON value, as the payload of a command may be. */
export function readJson(text: string): ReadText {
  return read(text, (reader) => reader.value(1));
}

/** A JSON object under the rules of device documents: keys, depth, sizes, no null in arrays. */
export function readDocument(text: string): ReadText {
  return read(text, (reader) => reader.document());
}

/** Bytes of the value as it travels: compact, UTF-8. */
export const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

function read(text: string, work: (reader: Reader) => unknown): ReadText {
  const reader = new Reader(text);
  try {
    const value = work(reader);
    reader.end();
    return { value, fault: null };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const before = text.slice(0, error.at).split('\n');
    const column = before.at(-1)!.length + 1;
    return { value: null, fault: { at: error.at, line: before.length, column, message: error.message } };
  }
}

/** JSON.parse tells the place of a mistake in every browser differently, and of our own rules it knows nothing. */
class Reader {
  readonly #text: string;
  #at = 0;
  #strict = false;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    this.#strict = true;
    this.#skip();
    if (this.#text[this.#at] !== '{') this.#fail('A document begins with {, as in {"relay": true}.');
    return this.value(1);
  }

  end(): void {
    this.#skip();
    if (this.#at < this.#text.length) this.#fail('Something follows after the end.');
  }

  value(depth: number, inArray = false): unknown {
    this.#skip();
    const start = this.#at;
    const next = this.#text[start];
    if (next === '{' || next === '[') {
      const levels = this.#strict ? MAX_DEPTH : MOST_LEVELS;
      if (depth > levels) this.#fail(`At most ${levels} levels may nest.`);
      return next === '{' ? this.#object(depth, inArray) : this.#array(depth);
    }
    if (next === '"') return this.#string();
    if (next === undefined) this.#fail('Something is missing at the end.');
    if (next === "'") this.#fail('Text stands in double quotes.');
    const number = this.#match(NUMBER);
    if (number !== null) return this.#number(number, start);
    const word = this.#match(WORD);
    if (word === null || !LITERALS.has(word)) {
      this.#fail('A value is text in double quotes, a number, true, false, null, {…} or […].', start);
    }
    if (this.#strict && inArray && word === 'null')
      this.#fail('null removes a key; in a list it has no meaning.', start);
    return LITERALS.get(word);
  }

  #object(depth: number, inArray: boolean): unknown {
    const found: Record<string, unknown> = {};
    this.#at += 1;
    this.#skip();
    if (this.#take('}')) return found;
    for (;;) {
      this.#skip();
      const start = this.#at;
      if (this.#text[start] !== '"') this.#fail(this.#noKey(start), start);
      const key = this.#string();
      if (this.#strict && !isMetricKey(key)) this.#fail(keyRule(key), start);
      if (Object.hasOwn(found, key)) this.#fail(`The key ${JSON.stringify(key)} stands here twice.`, start);
      this.#skip();
      if (!this.#take(':')) this.#fail('A colon is missing between the key and its value.');
      const value = this.value(depth + 1, inArray);
      Object.defineProperty(found, key, { value, enumerable: true, configurable: true, writable: true });
      if (this.#closes('}')) return found;
    }
  }

  #array(depth: number): unknown[] {
    const found: unknown[] = [];
    this.#at += 1;
    this.#skip();
    if (this.#take(']')) return found;
    for (;;) {
      found.push(this.value(depth + 1, true));
      if (this.#closes(']')) return found;
    }
  }

  /** After an entry: the end, or a comma and another one. */
  #closes(bracket: '}' | ']'): boolean {
    this.#skip();
    const start = this.#at;
    if (this.#take(bracket)) return true;
    if (!this.#take(',')) {
      const gone = start >= this.#text.length;
      this.#fail(
        gone ? `The closing ${bracket} is missing.` : `A comma or the closing ${bracket} is missing here.`,
      );
    }
    this.#skip();
    if (this.#text[this.#at] === bracket)
      this.#fail(`This comma is one too many: ${bracket} follows.`, start);
    return false;
  }

  #string(): string {
    const start = this.#at;
    let text = '';
    for (this.#at += 1; this.#text[this.#at] !== '"'; this.#at += 1) {
      const next = this.#text[this.#at];
      if (next === undefined || next === '\n')
        this.#fail('The closing quote of this text is missing.', start);
      if (next < ' ') this.#fail('A tab inside a text is written \\t.');
      text += next === '\\' ? this.#escape() : next;
    }
    this.#at += 1;
    if (this.#strict && UNSTORABLE.test(text))
      this.#fail('This text has characters that cannot be stored.', start);
    if (this.#strict && new TextEncoder().encode(text).length > MAX_STRING_BYTES)
      this.#fail(`A text has at most ${MAX_STRING_BYTES} bytes.`, start);
    return text;
  }

  #escape(): string {
    const start = this.#at;
    this.#at += 1;
    const letter = this.#text[this.#at] ?? '';
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 1, this.#at + 5);
      if (!/^[\da-f]{4}$/i.test(digits)) this.#fail('\\u is followed by four hexadecimal digits.', start);
      this.#at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    return (
      ESCAPES[letter] ?? this.#fail(`\\${letter} means nothing; a backslash itself is written \\\\.`, start)
    );
  }

  #number(text: string, start: number): number {
    const value = Number(text);
    if (/[\w.]/.test(this.#text[this.#at] ?? '')) this.#fail('This is no number.', start);
    if (!(Math.abs(value) <= MAX_MAGNITUDE)) this.#fail('This number is too large.', start);
    return value;
  }

  #noKey(start: number): string {
    return start >= this.#text.length ? 'The closing } is missing.' : 'A key stands in double quotes.';
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  #take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #skip(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #fail(message: string, at = this.#at): never {
    throw new Broken(at, message);
  }
}

/** Why a text cannot be the name of a key. */
export function keyRule(key: string): string {
  if (key === '') return 'A key has at least one letter.';
  const shown = JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key);
  return `${shown} cannot be a key: a letter first, then letters, digits and "_", 64 at most.`;
}
