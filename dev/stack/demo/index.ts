import pg from 'pg';
import type { DeviceEvent } from '../../../cli/src/simulate/index.ts';
import type { ApiAddress } from './api.ts';
import { enrolDevices } from './enrol.ts';
import { FlashFile } from './flash-file.ts';
import { fillHistory, type HistoryOutcome } from './history.ts';
import { startLive, type LiveAddress } from './live.ts';
import { SecretFile } from './secret-file.ts';
import { describeDevices, seedTenancy, type CreateUser, type Tenancy } from './seed-tenancy.ts';
import { seedUpdates, type MakerKeys } from './updates.ts';

/** What the demo is told by the stack it runs in: the stack's facts and a little more. */
export interface DemoContext extends ApiAddress, LiveAddress {
  /** Postgres as superuser: history is older than what any door accepts. */
  db_admin_url: string;
  data_dir: string;
  createUser: CreateUser;
  log(message: string, more?: Record<string, unknown>): void;
}

export interface Demo {
  /** Settles when two weeks of history are in the charts; devices are live before. Never rejects. */
  history: Promise<HistoryOutcome>;
  /** Settles when there are firmware and update jobs to look at. Never rejects. */
  updates: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Seeds the demo where it is missing and switches its devices on. The order matters: devices send before the
 * past is written, so that the first live card waits for nothing.
 *
 * Rejects when the tenancy or the registrations fail.
 */
export async function startDemo(context: DemoContext): Promise<Demo> {
  const stopping = new AbortController();
  const secrets = new SecretFile(context.data_dir);
  const tenancy = await seed(context, secrets);
  const keys: MakerKeys = new Map();
  const boards = { secrets, keys, flash: new FlashFile(context.data_dir) };
  const fleet = startLive(context, boards, (event) => logEvent(context, event));
  const updates = seedUpdates(context, tenancy, keys, stopping.signal).catch((error: unknown) => {
    if (!stopping.signal.aborted) context.log('updates failed', { error: String(error) });
  });
  const history = fillHistory({ dbUrl: context.db_admin_url, until: Date.now() }, stopping.signal).then(
    (outcome) => {
      context.log('history ready', { ...outcome });
      return outcome;
    },
    (error: unknown) => {
      if (!stopping.signal.aborted) context.log('history failed', { error: String(error) });
      return { readings: 0, ms: 0 };
    },
  );
  return {
    ...{ history, updates },
    async stop() {
      stopping.abort();
      await Promise.all([fleet.stop(), history, updates]);
    },
  };
}

async function seed(context: DemoContext, secrets: SecretFile): Promise<Tenancy> {
  const db = new pg.Client({ connectionString: context.db_admin_url, application_name: 'ec-demo' });
  await db.connect();
  try {
    const tenancy = await seedTenancy(db, context.createUser);
    await enrolDevices(context, tenancy, secrets);
    await describeDevices(db, tenancy);
    return tenancy;
  } finally {
    await db.end();
  }
}

/** Broken connections are part of the show; what deserves a line is a device the platform turns away. */
function logEvent(context: DemoContext, { kind, serial, detail }: DeviceEvent): void {
  if (kind === 'refused' || kind === 'overflow') context.log(`device ${kind}`, { serial, detail });
}
