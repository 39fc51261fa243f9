import { join } from 'node:path';
import { given, type Context, type Part } from '../context.ts';
import { ownSettings } from '../function-env.ts';
import { root } from '../paths.ts';
import { superviseChild } from '../supervised.ts';

/** The MQTT bridge as in production: its own process between broker and database. */
export const bridge: Part = {
  needs: ['db', 'broker'],
  async start(context: Context) {
    const main = join(root, 'mqtt-bridge/src/main.ts');
    const { ports } = context;
    return superviseChild(context, {
      name: 'bridge',
      healthUrl: `http://127.0.0.1:${ports.metrics}/health`,
      child: {
        command: process.execPath,
        args: [main],
        env: {
          ...ownSettings(),
          PATH: process.env['PATH'],
          TZ: 'UTC',
          EC_BRIDGE_DB_URL: given(context, 'postgres').url('ec_bridge'),
          EC_MQTT_URL: `mqtt://127.0.0.1:${ports.mqtt}`,
          EC_MQTT_PASSWORD: context.secrets.bridgePassword,
          EC_BRIDGE_PORT: String(ports.metrics),
        },
        cwd: root,
      },
    });
  },
};
