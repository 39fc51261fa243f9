import { describe, expect, it } from 'vitest';
import type { Incoming } from '../session.ts';
import { readCommandAck } from './command-ack.ts';
import { readOtaStatus } from './ota-status.ts';
import { readShadowGet } from './shadow-get.ts';
import { readReported } from './shadow-reported.ts';
import { readStatus } from './status.ts';
import { readTelemetry } from './telemetry.ts';

const incoming = (payload: string | Buffer, dup = false): Incoming => ({
  ...{ topic: 'devices/EC-1/telemetry', payload: Buffer.from(payload), dup },
  ...{ retain: false, messageId: 1, generation: 1 },
});
let now = 1_700_000_000_000_000;
const clock = (): number => ++now;
const items = (texts: string[]): unknown[] => texts.map((text) => JSON.parse(`{"i":0,${text}`));

describe('telemetry', () => {
  it('makes one item of a packet, with its arrival', () => {
    const work = readTelemetry('EC-1', incoming('{"temperature":24.5,"relay":false}'), clock);
    expect(items(work.telemetry)).toEqual([
      { i: 0, s: 'EC-1', d: { temp: 24.5, relay: false }, r: now, t: null, q: null },
    ]);
    expect(work.timeless).toBe(1);
  });

  it('passes on what the broker says about a second delivery', () => {
    expect(items(readTelemetry('EC-1', incoming('{"temp":1}', true), clock).telemetry)).toMatchObject([
      { dup: true },
    ]);
  });

  it('keeps the neighbours of a bad packet in a batch', () => {
    const batch = '[{"temp":1,"seq":1},{"__proto__":1},{"temp":2,"seq":2}]';
    const work = readTelemetry('EC-1', incoming(batch), clock);
    expect(items(work.telemetry)).toMatchObject([{ q: 1 }, { q: 2 }]);
    expect(work.dead.map((text) => JSON.parse(text))).toMatchObject([
      { s: 'EC-1', reason: 'bad_key', door: 'mqtt' },
    ]);
  });

  it.each([
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x7b])],
    ['nothing', ''],
    ['no JSON', 'temp=3'],
    ['too deep', '{"a":'.repeat(200_000)],
    ['NUL', '{"a":"\\u0000"}'],
    ['half a character', '{"a":"\\ud800"}'],
    ['infinity', '{"a":1e999}'],
  ])('turns %s into a dead letter', (_what, payload) => {
    const work = readTelemetry('EC-1', incoming(payload), clock);
    expect(work.telemetry).toEqual([]);
    expect(work.dead).toHaveLength(1);
    expect(JSON.parse(work.dead[0] as string)).toMatchObject({ s: 'EC-1', bytes: payload.length });
  });
});

describe('status', () => {
  it('reads birth and will and passes over anything else', () => {
    expect(JSON.parse(readStatus('EC-1', incoming('{"online":true}'), clock).status[0] as string)).toEqual({
      ...{ s: 'EC-1', online: true, r: now },
    });
    expect(readStatus('EC-1', incoming('online'), clock).status).toEqual([]);
    expect(readStatus('EC-1', incoming('{"online":"yes"}'), clock).status).toEqual([]);
  });
});

describe('shadow/reported', () => {
  it('hands the document over, null included: it removes a key', () => {
    const work = readReported('EC-1', incoming('{"relay":true,"old":null}'), clock);
    expect(JSON.parse(work.reported[0] as string)).toEqual({
      ...{ s: 'EC-1', d: { relay: true, old: null }, r: now, door: 'mqtt' },
    });
  });

  it('turns anything else into a dead letter', () => {
    const work = readReported('EC-1', incoming('[1]'), clock);
    expect(work.reported).toEqual([]);
    expect(work.dead).toHaveLength(1);
  });
});

describe('cmd/ack', () => {
  it('hands over what the device says came of a command', () => {
    const work = readCommandAck(
      'EC-1',
      incoming('{"id":"c-1","ok":false,"result":{"reason":"jammed"}}'),
      clock,
    );
    expect(JSON.parse(work.acks[0] as string)).toEqual({
      ...{ s: 'EC-1', id: 'c-1', ok: false, result: { reason: 'jammed' }, r: now },
    });
  });

  it('turns anything else into a dead letter', () => {
    const work = readCommandAck('EC-1', incoming('{"id":7}'), clock);
    expect(work.acks).toEqual([]);
    expect(JSON.parse(work.dead[0] as string)).toMatchObject({ s: 'EC-1', reason: 'bad_value', bytes: 8 });
  });
});

describe('ota/status', () => {
  const job_id = 'a3bb189e-8bf9-4c1d-9f8e-0c4f3a2d1b00';

  it('hands over how far an update is', () => {
    const body = { job_id, attempt: 1, state: 'downloading', percent: 40 };
    const work = readOtaStatus('EC-1', incoming(JSON.stringify(body)), clock);
    expect(JSON.parse(work.ota[0] as string)).toEqual({
      ...{ s: 'EC-1', j: job_id, a: 1, state: 'downloading', percent: 40, r: now },
    });
  });

  it('turns what names no job or no state into a dead letter', () => {
    for (const body of [`{"job_id":"${job_id}","state":"fine"}`, '{"state":"failed"}', 'rubbish']) {
      const work = readOtaStatus('EC-1', incoming(body), clock);
      expect(work.ota).toEqual([]);
      expect(JSON.parse(work.dead[0] as string)).toMatchObject({ s: 'EC-1', bytes: body.length });
    }
  });
});

it('shadow/get asks for the document, whatever it says', () => {
  for (const body of ['', '{}', 'hello', Buffer.from([0xff])])
    expect(readShadowGet('EC-1', incoming(body)).asked).toEqual(['"EC-1"']);
});
