import type { DeviceSecrets } from '@edgeconductor/sdk/contract';
import type { Env } from '../../_shared/env.ts';

/** Everything a device needs to live. */
export function deviceSecrets(
  env: Env,
  device: { serial: string; telemetry_interval_s: number; ota_public_key: string },
  secret: string,
): Omit<DeviceSecrets, 'claim_url'> {
  return {
    mqtt_username: device.serial,
    mqtt_password: secret,
    mqtt_host: env.mqtt.host,
    mqtt_port: env.mqtt.port,
    mqtt_ca: env.mqtt.ca,
    https_url: env.apiUrl,
    ota_public_key: device.ota_public_key,
    telemetry_interval_s: device.telemetry_interval_s,
    server_time: new Date().toISOString(),
  };
}

/** Opens the claim page of the web app; what a device's QR shows. */
export function claimUrl(env: Env, serial: string, code: string): string | null {
  return env.webUrl && `${env.webUrl}/claim?serial=${encodeURIComponent(serial)}&code=${code}`;
}
