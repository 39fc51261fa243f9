import { describeSettings } from './database.ts';
import type { Lab } from './lab.ts';
import { versionOf } from './machine.ts';

/** Versions and settings a reader needs to believe the numbers. */
export async function conditionsOf(lab: Lab): Promise<Record<string, string>> {
  const mosquitto = versionOf(process.env['EC_MOSQUITTO_PATH'] ?? 'mosquitto', ['-h'], /version (\S+)/);
  const settings = await describeSettings((sql, values) => lab.db.query(sql, values));
  return {
    ...settings,
    ...(mosquitto ? { mosquitto } : {}),
  };
}
