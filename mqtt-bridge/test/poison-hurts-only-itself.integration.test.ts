import { expect, it } from 'vitest';
import { BROKER_KINDS } from './support/brokers.ts';
import { createWorld } from './support/world.ts';
import { until } from './support/until.ts';

const POISON: Array<[reason: string, payload: string | Buffer]> = [
  ['bad_value', '{"a":"\\u0000"}'],
  ['bad_value', '{"a":"\\ud800"}'],
  ['bad_value', '{"a":1e999}'],
  ['not_json', '{"a":NaN}'],
  ['not_json', ''.padEnd(10, '{')],
  ['not_json', Buffer.from([0xff, 0xfe])],
  ['bad_key', '{"__proto__":{"admin":true}}'],
  ['bad_key', '{"constructor":1}'],
  ['too_deep', '{"a":'.repeat(40_000) + '1' + '}'.repeat(40_000)],
  ['too_large', `{"a":"${'x'.repeat(9_000)}"}`],
  ['bad_ts', '{"temp":1,"ts":"yesterday"}'],
  ['ts_out_of_range', '{"temp":1,"ts":"1970-01-01T00:00:00Z"}'],
  ['ts_out_of_range', '{"temp":1,"ts":4102444800000}'],
  ['not_an_object', '42'],
  ['empty', '[]'],
  ['empty', '{}'],
];

it.each(BROKER_KINDS)(
  '%s: poison packets become dead letters and every neighbour is stored',
  async (kind) => {
    const world = await createWorld(kind, 20);
    const bridge = await world.startBridge();
    const clients = await world.connectAll();
    let good = 0;
    const publish = (payload: string | Buffer): Promise<unknown> => {
      const { serial, client } = clients[good % clients.length] as (typeof clients)[0];
      return client.publishAsync(`devices/${serial}/telemetry`, payload, { qos: 1 });
    };
    const all: Array<Promise<unknown>> = [];
    for (const [, payload] of POISON) {
      for (let i = 0; i < 20; i++) all.push(publish(JSON.stringify({ temp: 20 + i / 10, hum: good++ })));
      all.push(publish(payload));
    }
    all.push(publish('[{"temp":1,"seq":1},{"a":"\\u0000"},7,{"temp":2,"seq":2}]'));
    await Promise.all(all);
    await until(async () => {
      const [row] = await world.sql<{ n: number }>('select count(*)::int as n from public.telemetry');
      return row?.n === good + 2;
    }, 'all good ones are stored');
    await until(async () => (await bridge.metric('ec_bridge_unacked')) === 0, 'everything is acknowledged');
    const dead = await world.sql<{ reason: string; org: boolean }>(
      `select reason, org_id is not null as org from public.dead_letters where door = 'mqtt'`,
    );
    const reasons = [...POISON.map(([reason]) => reason), 'bad_value', 'not_an_object'];
    // 40,000 levels make more than 8 KB, whichever is noticed first.
    const known = (list: string[]): string[] => list.map((r) => (r === 'too_deep' ? 'too_large' : r)).sort();
    expect(known(dead.map(({ reason }) => reason))).toEqual(known(reasons));
    expect(dead.every(({ org }) => org)).toBe(true);
  },
);
