import { ConflictError, type Firmware, type FirmwareUpload as Ticket } from '@edgeconductor/sdk';
import { describe, expect, it, vi } from 'vitest';
import { UploadError } from '#lib/firmware/put-file.ts';
import { FirmwareUpload, type UploadDoors } from './firmware-upload.svelte.ts';

const image = new Blob([new Uint8Array(1000)]);
const input = { product_type: 'T', filename: 'a.bin', size: 1000 };
const ready = { id: 'f1', version: '1.3.0', state: 'ready' } as Firmware;
const ticket = { firmware: { id: 'f1' }, upload: { url: 'https://store/x', method: 'PUT', headers: {} } };

function world(change: Partial<UploadDoors> = {}) {
  const doors = {
    begin: vi.fn(async () => ticket as unknown as Ticket),
    put: vi.fn<UploadDoors['put']>(async (_, __, { onprogress }) => {
      onprogress({ loaded: 505, total: 1000 });
      onprogress({ loaded: 1000, total: 1000 });
    }),
    finish: vi.fn(async () => ready),
    drop: vi.fn(async () => undefined),
  };
  return { doors, upload: new FirmwareUpload({ ...doors, ...change }) };
}

describe('an upload of firmware', () => {
  it('is announced, sent, checked and then there', async () => {
    const { doors, upload } = world();
    const phases: [string, number][] = [];
    doors.put.mockImplementation(async (_, __, { onprogress }) => {
      onprogress({ loaded: 505, total: 1000 });
      phases.push([upload.phase, upload.percent]);
    });
    doors.finish.mockImplementation(async () => {
      phases.push([upload.phase, upload.percent]);
      return ready;
    });
    expect(await upload.send(image, input)).toBe(ready);
    expect(phases).toEqual([
      ['sending', 50],
      ['checking', 50],
    ]);
    expect(upload.phase).toBe('done');
    expect(doors.drop).not.toHaveBeenCalled();
  });

  it('says why it was refused, and can be sent again', async () => {
    const taken = new ConflictError('Version 1.3.0 exists', {
      status: 409,
      code: 'conflict',
      requestId: null,
      issues: [],
      retryAfter: null,
      problem: { title: 'Conflict', detail: 'Version 1.3.0 exists.' },
    });
    const { doors, upload } = world();
    doors.begin.mockRejectedValueOnce(taken);
    expect(await upload.send(image, input)).toBeNull();
    expect(upload).toMatchObject({ phase: 'ready', problem: { detail: 'Version 1.3.0 exists.' } });
    expect(await upload.send(image, input)).toBe(ready);
    expect(upload.problem).toBeNull();
  });

  it('leaves nothing behind when the connection breaks', async () => {
    const { doors, upload } = world({
      put: async () => Promise.reject(new UploadError('The connection broke.')),
    });
    await upload.send(image, input);
    expect(doors.drop).toHaveBeenCalledExactlyOnceWith('f1');
    expect(upload.problem?.detail).toBe('The connection broke.');
  });

  it('stops when it is cancelled, without a complaint', async () => {
    const { doors, upload } = world({
      put: (_, __, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          queueMicrotask(() => upload.cancel());
        }),
    });
    expect(await upload.send(image, input)).toBeNull();
    expect(upload).toMatchObject({ phase: 'ready', problem: null });
    expect(doors.drop).toHaveBeenCalledExactlyOnceWith('f1');
    expect(doors.finish).not.toHaveBeenCalled();
  });

  it('is sent once, however often the button is pressed', async () => {
    const { doors, upload } = world();
    await Promise.all([upload.send(image, input), upload.send(image, input)]);
    expect(doors.begin).toHaveBeenCalledTimes(1);
  });
});
