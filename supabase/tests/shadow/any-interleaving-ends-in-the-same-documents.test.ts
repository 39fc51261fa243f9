import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database, type Session } from '../harness/database.ts';
import { makeDevices, START_US, type FleetDevice } from '../harness/fleet.ts';
import { expectRefusal } from '../harness/refusal.ts';
import { claimMessages, finishMessages, loseBridge, setDesired, type Message } from '../harness/wire.ts';
import { seedWorld, type World } from '../harness/world.ts';
import { delta, ReferenceDevice, ReferenceShadow, type Document, type Json } from './reference.ts';

let db: Database;
let bridge: Session;
let world: World;
beforeAll(async () => {
  db = await openDatabase();
  world = await seedWorld(db);
  bridge = await db.connect('ec_bridge');
});
afterAll(() => db.drop());

const key = fc.constantFrom('relay', 'setpoint', 'mode', 'a', 'b');
const scalar = fc.constantFrom<Json>(true, false, 0, 1, 1.5, -3, 'on', '');
const array = fc.array(fc.oneof(scalar, fc.constant<Json>({ a: 1 })), { maxLength: 3 });
const { document: value } = fc.letrec<{ document: Json }>((tie) => ({
  document: fc.oneof(
    { weight: 4, arbitrary: scalar },
    { weight: 1, arbitrary: array },
    { weight: 2, arbitrary: fc.constant<Json>(null) },
    { weight: 2, arbitrary: fc.dictionary(key, tie('document'), { maxKeys: 3 }) },
  ),
}));
const patch = fc.dictionary(key, value, { maxKeys: 3 }) as fc.Arbitrary<Document>;
const packet = fc.dictionary(key, fc.oneof(scalar, array), { minKeys: 1, maxKeys: 3 });

type Step =
  /** By one of two people; meant for a version this much older than the current one, or for any. */
  | { kind: 'patch'; patch: Document; person: 0 | 1; behind: number | null; repeated: boolean }
  | { kind: 'report'; document: Document; repeated: boolean }
  | { kind: 'telemetry'; values: Document; lateMs: number }
  /** A bridge takes so many messages to the broker; it dies before the broker has answered? */
  | { kind: 'relay'; count: number; dies: boolean }
  /** The device gets what the broker has for it, in the order the numbers say. */
  | { kind: 'receive'; order: number[] }
  | { kind: 'restart' }
  | { kind: 'ask' }
  | { kind: 'lose' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ kind: fc.constant('patch' as const), patch, person: fc.constantFrom(0 as const, 1 as const) },
      behind: fc.option(fc.nat(2), { freq: 2 }),
      repeated: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ kind: fc.constant('report' as const), document: patch, repeated: fc.boolean() },
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ kind: fc.constant('telemetry' as const), values: packet as fc.Arbitrary<Document> },
      lateMs: fc.constantFrom(0, 0, 5_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ kind: fc.constant('relay' as const), count: fc.integer({ min: 1, max: 9 }), dies: fc.boolean() },
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('receive' as const), order: fc.array(fc.nat(9)) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'ask' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
);

/** Everything between two people and one device, next to the reference. */
class Line {
  readonly reference = new ReferenceShadow();
  readonly device = new ReferenceDevice();
  /** topic → what the broker keeps */
  #retained = new Map<string, string>();
  /** Documents the device has not read yet. */
  #inbox: string[] = [];
  #clock = START_US;
  readonly #at: FleetDevice;
  /** All lines share one outbox and one broker. */
  readonly #broker: (messages: Message[]) => void;
  constructor(at: FleetDevice, broker: (messages: Message[]) => void) {
    this.#at = at;
    this.#broker = broker;
  }

  async take(each: Step): Promise<void> {
    const { serial } = this.#at;
    const { version } = this.reference;
    const now = (this.#clock += 1_000_000);
    switch (each.kind) {
      case 'patch':
        for (const _ of each.repeated ? [1, 2] : [1]) {
          const ifMatch = each.behind === null ? null : Math.max(0, version - each.behind);
          const accepted = this.reference.patch(each.patch, ifMatch);
          const actor = [world.operator, world.orgAdmin][each.person]!;
          const call = setDesired(db, actor, serial, each.patch, ifMatch === null ? {} : { ifMatch });
          if (accepted) expect((await call).desired).toEqual(this.reference.desired);
          else await expectRefusal(call, 'EC409', 'stale_version');
        }
        return;
      case 'report': {
        const items = (each.repeated ? [1, 2] : [1]).map(() => ({ s: serial, d: each.document, r: now }));
        for (const { d } of items) this.reference.report(d);
        await bridge.query('select ec.record_reported($1::json)', [JSON.stringify(items)]);
        return;
      }
      case 'telemetry': {
        const ts = now / 1000 - 0.007 - each.lateMs;
        this.reference.telemetry(each.values, ts);
        const item = { i: 0, s: serial, d: each.values, r: now, t: Math.round(ts), q: null };
        await bridge.query('select ec.ingest_telemetry($1::json, $2)', [JSON.stringify([item]), 'mqtt']);
        return;
      }
      case 'relay': {
        const messages = await claimMessages(bridge, `bridge-${now}`, each.count);
        this.#broker(messages);
        if (each.dies) await loseBridge(db);
        else await finishMessages(bridge, messages);
        return;
      }
      case 'receive':
        this.#read(each.order);
        return;
      case 'restart':
        this.device.restart();
        this.#inbox = [];
        await this.#ask();
        return;
      case 'ask':
        await this.#ask();
        return;
      case 'lose':
        this.#retained.clear();
        await bridge.query('select ec.restore_retained()');
    }
  }

  #ask(): Promise<unknown> {
    return bridge.query('select ec.answer_shadow_get($1)', [[this.#at.serial]]);
  }

  arrive(messages: Message[]): void {
    for (const { topic, payload, retain } of messages) {
      if (!topic.startsWith(`devices/${this.#at.serial}/`)) continue;
      if (retain) this.#retained.set(topic, payload);
      else this.#inbox.push(payload);
    }
  }

  #read(order: number[]): void {
    const rank = (n: number): number => order[n % order.length] ?? 0;
    const texts = this.#inbox.map((text, n) => ({ text, n })).toSorted((a, b) => rank(a.n) - rank(b.n));
    for (const { text } of texts) this.device.take(JSON.parse(text));
    this.#inbox = [];
  }

  /** All that is under way arrives. */
  async settle(): Promise<void> {
    await loseBridge(db);
    await this.#ask();
    const messages = await claimMessages(bridge);
    await finishMessages(bridge, messages);
    this.#broker(messages);
    this.#read([]);
  }

  async compare(): Promise<void> {
    const { desired, version, reported } = this.reference;
    const [row] = await db.query(
      `select d.desired, d.desired_version::int as version, s.reported, private.shadow_delta(d.desired, s.reported) as delta,
         d.desired_times from public.devices d join public.device_state s on s.device_id = d.id where d.id = $1`,
      [this.#at.id],
    );
    expect(row).toMatchObject({ version });
    expect(row!['desired']).toEqual(desired);
    expect(row!['reported']).toEqual(reported);
    expect(row!['delta']).toEqual(delta(desired, reported));
    expect(leaves(row!['desired_times'] as Json)).toEqual(leaves(desired));
    expect({ ...this.device }).toEqual({ version, desired });
    const kept = [...this.#retained.values()].map((text) => JSON.parse(text) as unknown);
    expect(kept).toEqual(version === 0 || kept.length === 0 ? kept : [desired, desired]);
    if (Object.keys(desired).length > 0) expect(kept).toHaveLength(2);
  }
}

/** Paths of a document's leaves; arrays and empty objects are leaves. */
const leaves = (value: Json, path = ''): string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
    ? Object.entries(value)
        .flatMap(([name, part]) => leaves(part, `${path}/${name}`))
        .toSorted()
    : [path];

test('patches, duplicates, reports, reordering and restarts end in the reference’s documents, everywhere', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ device: fc.nat(1), step }), { minLength: 1, maxLength: 40, size: 'max' }),
      async (steps) => {
        const devices = await makeDevices(db, world.org.id, 2);
        // Nothing of the run before comes in between.
        await db.query('with gone as (delete from public.device_credentials) delete from ec.mqtt_outbox');
        await giveSecrets(devices);
        const broker = (messages: Message[]): void => lines.forEach((line) => line.arrive(messages));
        const lines: Line[] = devices.map((device) => new Line(device, broker));
        for (const { device, step: each } of steps) await lines[device]!.take(each);
        for (const line of lines) {
          await line.settle();
          await line.compare();
        }
      },
    ),
    { numRuns: Number(process.env['EC_PROPERTY_RUNS'] ?? 25), interruptAfterTimeLimit: 90_000 },
  );
}, 120_000);

/** Only what may sign in to a broker has anything kept there. */
const giveSecrets = (devices: FleetDevice[]): Promise<unknown> =>
  db.query(
    `insert into public.device_credentials (device_id, serial, password_hash, salt, secret_sha256, issued_by_kind, issued_by_id)
     select d.id, d.serial, '$7$101$' || repeat('a', 16) || '$' || repeat('a', 86) || '==', repeat('a', 12),
       sha256(d.serial::bytea), 'user', d.id from public.devices d where d.id = any ($1)`,
    [devices.map(({ id }) => id)],
  );
