import { describe, expect, it } from 'vitest';
import { brokenEspImages, espImage } from '../../../../../../sdk/test/esp-image.ts';
import { readImage } from './image-file.ts';

const file = (bytes: Uint8Array<ArrayBuffer>, name = 'a.bin') => new File([bytes], name);

describe('a file before it is uploaded', () => {
  it('says its version, project and chip', async () => {
    const image = file(espImage({ version: '1.3.0', project: 'climate' }));
    expect(await readImage(image)).toMatchObject({
      header: { version: '1.3.0', project: 'climate', chip: 'esp32' },
      impossible: null,
      complaint: null,
    });
  });

  it('is impossible when it is empty or too large', async () => {
    expect((await readImage(file(new Uint8Array()))).impossible).toBe('The file is empty.');
    const large = { size: 33 * 1_048_576, name: 'b.bin' } as File;
    expect((await readImage(large)).impossible).toMatch(/^The file has 33.0 MB/);
  });

  it('may still be a raw file when it is no image, and says why it is none', async () => {
    const found = await readImage(file(brokenEspImages.notAnImage()));
    expect(found).toMatchObject({ header: null, impossible: null });
    expect(found.complaint).toMatch(/0xE9/);
  });
});
