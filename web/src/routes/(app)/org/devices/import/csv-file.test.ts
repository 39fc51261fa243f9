import { describe, expect, it } from 'vitest';
import { decodeText, MAX_BYTES, tooLarge } from './csv-file.ts';

const bytes = (...values: number[]): ArrayBuffer => new Uint8Array(values).buffer;

describe('a chosen file', () => {
  it('is read as UTF-8, without the mark some programs put first', () => {
    expect(decodeText(bytes(0xef, 0xbb, 0xbf, 0x4b, 0xc3, 0xbc))).toBe('Kü');
  });

  it('is read as Windows-1252 when it is no UTF-8', () => {
    expect(decodeText(bytes(0x4b, 0xfc, 0x63, 0x68, 0x65))).toBe('Küche');
  });

  it('is read as UTF-16 when it says so', () => {
    expect(decodeText(bytes(0xff, 0xfe, 0x4b, 0x00, 0xfc, 0x00))).toBe('Kü');
  });

  it('is refused above 1 MB, with its size', () => {
    expect(tooLarge(MAX_BYTES)).toBeNull();
    expect(tooLarge(MAX_BYTES * 2.5)).toContain('2.5 MB');
  });
});
