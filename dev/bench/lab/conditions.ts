import type { Lab } from './lab.ts';
import { versionOf } from './machine.ts';

/** Versions and settings a reader needs to believe the numbers. */
export async function conditionsOf(lab: Lab): Promise<Record<string, string>> {
  const mosquitto = versionOf(process.env['EC_MOSQUITTO_PATH'] ?? 'mosquitto', ['-h'], /version (\S+)/);
  const settings = await lab.db.settings();
  return {
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`postgres ${name}`, value])),
    ...(mosquitto ? { mosquitto } : {}),
  };
}
