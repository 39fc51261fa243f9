import { QUIET_ZONE, sideOf, type QrMatrix } from './matrix.ts';

const WANTED_PIXELS = 1024;

/** Whole pixels per module, so that no edge is blurred. Browser only. */
export function toPng(matrix: QrMatrix): Promise<Blob> {
  const scale = Math.max(1, Math.floor(WANTED_PIXELS / sideOf(matrix)));
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = sideOf(matrix) * scale;
  const pen = canvas.getContext('2d');
  if (!pen) return Promise.reject(new Error('This browser cannot draw.'));
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = '#000';
  for (let row = 0; row < matrix.size; row++) {
    for (let column = 0; column < matrix.size; column++) {
      if (matrix.isDark(row, column))
        pen.fillRect((column + QUIET_ZONE) * scale, (row + QUIET_ZONE) * scale, scale, scale);
    }
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('This browser cannot draw.'))),
      'image/png',
    );
  });
}
