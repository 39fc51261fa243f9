import { describe, expect, it } from 'vitest';
import { brokenEspImages, espImage } from '../../test/esp-image.ts';
import { ESP_HEADER_BYTES, EspSegments, isEspRefusal, readEspHeader } from './esp-image.ts';
import type { EspHeader } from './esp-image.ts';

const header = (image: Uint8Array): EspHeader => {
  const read = readEspHeader(image);
  if (isEspRefusal(read)) throw new Error(read.detail);
  return read;
};
const reasonOf = (image: Uint8Array): string | null => {
  const read = readEspHeader(image);
  return isEspRefusal(read) ? read.reason : null;
};
/** Follows an image in pieces of so many bytes. */
const follow = (image: Uint8Array, piece: number): EspSegments => {
  const segments = new EspSegments(header(image));
  for (let at = 0; at < image.length; at += piece) segments.push(image.subarray(at, at + piece));
  return segments;
};

describe('the header of an image', () => {
  it('says chip, version, project and build', () => {
    const image = espImage({ version: 'v2.0.1-rc.1', project: 'tracker', idf_version: 'v5.4', chipId: 9 });
    expect(header(image)).toEqual({
      ...{ chip: 'esp32s3', segments: 2, hash_appended: true, secure_version: 0 },
      ...{ version: 'v2.0.1-rc.1', project: 'tracker', idf_version: 'v5.4', built: 'Jan  2 2026 12:34:56' },
    });
  });

  it('is read from the first bytes alone, wherever they lie in memory', () => {
    const image = espImage({ version: '1.0.0' });
    const shifted = new Uint8Array([1, 2, 3, ...image.subarray(0, ESP_HEADER_BYTES)]).subarray(3);
    expect(header(shifted).version).toBe('1.0.0');
  });

  it('of a chip nobody knows gives its number; texts that fill their field end with it', () => {
    expect(header(espImage({ chipId: 77 })).chip).toBe('chip-77');
    expect(header(espImage({ version: 'x'.repeat(40) })).version).toBe('x'.repeat(31));
    expect(header(espImage({ version: '' })).version).toBe('');
  });

  it.each([
    ['empty', 'truncated_image'],
    ['notAnImage', 'not_an_image'],
    ['bootloader', 'not_an_image'],
    ['headerOnly', 'truncated_image'],
    ['truncated', null],
  ] as const)('%s: %s', (name, reason) => {
    expect(reasonOf(brokenEspImages[name]())).toBe(reason);
  });

  it.each([0, 17, 255])('%i segments are none that a chip loads', (count) => {
    const image = espImage();
    image[1] = count;
    expect(reasonOf(image)).toBe('not_an_image');
  });
});

describe('the segments of an image', () => {
  it.each([1, 7, 64, 1000, 1_000_000])('are followed in pieces of %i bytes', (piece) => {
    for (const options of [{}, { segments: 5, size: 5000 }, { appendHash: false, size: 12 }]) {
      const image = espImage(options);
      const segments = follow(image, piece);
      expect([segments.size, segments.end()]).toEqual([image.length, null]);
    }
  });

  it('end where the file does not: it was cut off', () => {
    const image = espImage({ size: 4096, segments: 3 });
    for (const left of [ESP_HEADER_BYTES, image.length >> 1, image.length - 33, image.length - 1]) {
      expect(follow(image.subarray(0, left), 100).end()).toMatchObject({ reason: 'truncated_image' });
    }
  });

  it('that claim to be larger than anything are a file that was cut off', () => {
    const image = espImage();
    new DataView(image.buffer).setUint32(28, 0xffff_fff0, true);
    expect(follow(image, 100).end()).toMatchObject({ reason: 'truncated_image' });
  });

  it('may be followed by the signature of secure boot', () => {
    const image = espImage();
    const signed = new Uint8Array([...image, ...Array<number>(4096).fill(0xe7)]);
    const segments = follow(signed, 50);
    expect([segments.size, segments.end()]).toEqual([image.length, null]);
  });
});
