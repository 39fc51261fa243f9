import { ConflictError, type Device, type DeviceShadow } from '@edgeconductor/sdk';
import { mergeShadow } from '@edgeconductor/sdk/contract';
import { describe, expect, it, vi } from 'vitest';
import { DesiredEdit } from './desired-edit.svelte.ts';
import { DesiredLive } from './desired-live.svelte.ts';

type Document = Record<string, unknown>;
const row = (shadow_desired: Document, desired_version: number) =>
  ({ shadow_desired, desired_version, desired_times: {} }) as Device;

function open(start: Document) {
  let document = start;
  let version = 1;
  const send = vi.fn(async (patch: Document, ifVersion: number): Promise<DeviceShadow> => {
    if (ifVersion !== version) {
      const problem = { title: 'Someone else changed it first' };
      const rest = { requestId: null, issues: [], retryAfter: null, problem };
      throw new ConflictError('stale', { status: 409, code: 'stale_version', ...rest });
    }
    return theirs(patch);
  });
  const theirs = (patch: Document) => {
    document = mergeShadow(document, patch);
    version += 1;
    return { desired: document, desired_version: version, desired_times: {} } as DeviceShadow;
  };
  const desired = new DesiredLive(row(start, 1));
  const edit = new DesiredEdit(desired, { send, fetch: async () => row(document, version) });
  const type = (next: unknown) => (edit.text = typeof next === 'string' ? next : JSON.stringify(next));
  return { edit, send, theirs, type, desired, document: () => document };
}

describe('the desired document as text', () => {
  it('begins with what is, and has nothing to send', () => {
    const { edit } = open({ relay: true });
    expect(edit.text).toBe('{\n  "relay": true\n}');
    expect([edit.changes, edit.sendable, edit.bytes]).toEqual([[], false, 14]);
  });

  it('tells what it would change, and sends only that', async () => {
    const { edit, send, type } = open({ relay: true, pid: { kp: 1, ki: 2 } });
    type({ pid: { kp: 3, ki: 2 }, led: 'red' });
    expect(edit.changes.map(({ path }) => path)).toEqual(['led', 'pid.kp', 'relay']);
    expect(await edit.send()).toEqual({ kind: 'sent', merged: false });
    expect(send).toHaveBeenCalledWith({ relay: null, pid: { kp: 3 }, led: 'red' }, 1);
    expect(edit.changes).toEqual([]);
  });

  it('takes null for a key that should go', async () => {
    const { edit, type, document } = open({ relay: true, mode: 'eco' });
    type({ relay: null, mode: 'eco' });
    await edit.send();
    expect(document()).toEqual({ mode: 'eco' });
  });

  it('cannot be sent while it cannot be read, or is larger than a device takes', () => {
    const { edit, type } = open({});
    type('{"relay": tru}');
    expect([edit.sendable, edit.fault?.column, edit.changes]).toEqual([false, 11, []]);
    const wide = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, 'x'.repeat(1000)]));
    type(wide);
    expect([edit.sendable, edit.tooLarge]).toEqual([false, true]);
  });
});

describe('when somebody else changes it meanwhile', () => {
  it('their other keys stay theirs, known to this page or not', async () => {
    const { edit, theirs, type, document } = open({ relay: true, mode: 'auto' });
    type({ relay: false, mode: 'auto' });
    theirs({ mode: 'eco', fan: 2 });
    expect(await edit.send()).toEqual({ kind: 'sent', merged: true });
    expect(document()).toEqual({ relay: false, mode: 'eco', fan: 2 });
  });

  it('the same key is asked about, and overwritten only when one insists', async () => {
    const { edit, theirs, type, document } = open({ setpoint: 20, mode: 'auto' });
    type({ setpoint: 22, mode: 'auto' });
    theirs({ setpoint: 19, mode: 'eco' });
    expect(await edit.send()).toEqual({ kind: 'contested' });
    expect(edit.contests).toEqual([{ path: 'setpoint', mine: 22, theirs: 19 }]);
    expect(document()).toEqual({ setpoint: 19, mode: 'eco' });
    expect(await edit.send(true)).toEqual({ kind: 'sent', merged: true });
    expect(document()).toEqual({ setpoint: 22, mode: 'eco' });
  });

  it('what they want of it can be taken over, and what was typed besides stays', async () => {
    const { edit, theirs, type, document } = open({ setpoint: 20, pid: { kp: 1 }, relay: false });
    type({ setpoint: 22, pid: { kp: 2 }, relay: true });
    theirs({ setpoint: 19, pid: null, fan: 3 });
    await edit.send();
    edit.yieldToOthers();
    expect(JSON.parse(edit.text)).toEqual({ setpoint: 19, relay: true, fan: 3 });
    expect([edit.contests, edit.changes]).toEqual([[], [{ path: 'relay', before: false, after: true }]]);
    expect((await edit.send()).kind).toBe('sent');
    expect(document()).toEqual({ setpoint: 19, relay: true, fan: 3 });
  });

  it('an object that was removed under a changed leaf is asked about, too', async () => {
    const { edit, theirs, type } = open({ pid: { kp: 1 } });
    type({ pid: { kp: 2 } });
    theirs({ pid: null });
    await edit.send();
    expect(edit.contests).toEqual([{ path: 'pid.kp', mine: 2, theirs: undefined }]);
  });

  it('who wanted the same is no contest', async () => {
    const { edit, theirs, type } = open({ setpoint: 20 });
    type({ setpoint: 22 });
    theirs({ setpoint: 22 });
    expect((await edit.send()).kind).toBe('sent');
  });
});
