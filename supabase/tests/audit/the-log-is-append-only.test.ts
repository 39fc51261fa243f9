import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';
import { seedWorld } from '../harness/world.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
  await seedWorld(db);
});
afterAll(() => db.drop());

test.each([
  `update public.audit_log set action = 'nothing'`,
  'delete from public.audit_log',
  'truncate public.audit_log',
])('not even the owner may %s', async (sql) => {
  const rows = await db.query('select * from public.audit_log order by id');
  expect(rows.length).toBeGreaterThan(3);
  await expect(db.query(sql)).rejects.toMatchObject({ code: 'EC403', message: 'forbidden' });
  expect(await db.query('select * from public.audit_log order by id')).toEqual(rows);
});

test('every function that changes something for a person leaves an audit row', async () => {
  const silent = await db.query(
    `select p.proname from pg_proc p
     where p.pronamespace = 'ec'::regnamespace and p.prosecdef and has_function_privilege('authenticated', p.oid, 'execute')
       and p.provolatile = 'v' and p.prosrc !~ 'private.(write_audit|audit_job|make_job)'
       and p.proname not in (
         -- call audited functions per item
         'register_devices', 'assign_devices', 'assign_org_devices', 'import_devices', 'create_room',
         'rotate_room_code', 'list_room_codes',
         -- about oneself, or no change of anything that is anybody's
         'me', 'ensure_profile', 'update_me', 'begin_idempotent', 'finish_idempotent', 'lease_topics',
         'room_code', 'preview_room', 'read_notification', 'read_notifications',
         -- the upload is written down when it has ended
         'begin_firmware',
         -- a device's own data
         'push_telemetry', 'report_device_shadow', 'read_device_commands', 'acknowledge_command', 'report_ota_status')`,
  );
  expect(silent).toEqual([]);
});
