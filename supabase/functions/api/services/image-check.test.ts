import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { brokenEspImages, espImage } from '../../../../sdk/test/esp-image.ts';
import { checkImage, isRefusal } from './image-check.ts';
import type { ImageFacts, Refusal } from './image-check.ts';

/** As a file comes from the store, in pieces of so many bytes. */
function streamOf(bytes: Uint8Array, piece = 16_384, onCancel = (): void => {}): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, (at += piece)));
    },
    cancel: onCancel,
  });
}
const check = (bytes: Uint8Array, options = {}, piece?: number): Promise<ImageFacts | Refusal> =>
  checkImage(streamOf(bytes, piece), { raw: false, maxBytes: 1_000_000, ...options });
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('an image', () => {
  it.each([1, 31, 288, 289, 1000, 100_000])('that comes in pieces of %i bytes is whole', async (piece) => {
    for (const options of [{}, { appendHash: false }, { size: 5000, segments: 6 }]) {
      const image = espImage({ version: '2.0.0', ...options });
      const facts = (await check(image, {}, piece)) as ImageFacts;
      expect([facts.size, hex(facts.sha256)]).toEqual([image.length, sha256(image)]);
      expect(facts.header).toMatchObject({ version: '2.0.0', chip: 'esp32' });
    }
  });

  it.each([
    ['empty', 'empty_file'],
    ['notAnImage', 'not_an_image'],
    ['bootloader', 'not_an_image'],
    ['headerOnly', 'truncated_image'],
    ['truncated', 'truncated_image'],
    ['flipped', 'corrupt_image'],
  ] as const)('%s is refused: %s', async (name, reason) => {
    for (const piece of [1, 333, 16_384])
      expect(await check(brokenEspImages[name](), {}, piece)).toEqual({ reason, detail: expect.any(String) });
  });

  it('with the signature of secure boot behind it is whole, and its hash still counts', async () => {
    const signature = new Uint8Array(4096).fill(0xe7);
    for (const piece of [1, 700, 100_000]) {
      const signed = new Uint8Array([...espImage(), ...signature]);
      expect(hex(((await check(signed, {}, piece)) as ImageFacts).sha256)).toBe(sha256(signed));
      const damaged = new Uint8Array([...brokenEspImages.flipped(), ...signature]);
      expect(await check(damaged, {}, piece)).toMatchObject({ reason: 'corrupt_image' });
    }
  });

  it('of the largest size is taken, one byte more is not', async () => {
    const image = espImage({ size: 4000 });
    expect(isRefusal(await check(image, { maxBytes: image.length }))).toBe(false);
    expect(await check(image, { maxBytes: image.length - 1 })).toMatchObject({ reason: 'too_large' });
  });

  it('that is none is not read any further', async () => {
    let cancelled = false;
    const file = streamOf(new Uint8Array(900_000).fill(7), 1000, () => (cancelled = true));
    expect(await checkImage(file, { raw: false, maxBytes: 1_000_000 })).toMatchObject({
      reason: 'not_an_image',
    });
    expect(cancelled).toBe(true);
  });
});

it('a raw file may hold anything but nothing', async () => {
  const bytes = new Uint8Array(1000).fill(9);
  const facts = (await check(bytes, { raw: true })) as ImageFacts;
  expect([facts.size, hex(facts.sha256), facts.header]).toEqual([1000, sha256(bytes), null]);
  expect(await check(new Uint8Array(), { raw: true })).toMatchObject({ reason: 'empty_file' });
});
