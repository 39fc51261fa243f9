import { join } from 'node:path';
import { startBroker } from '../broker/index.ts';
import { given, type Context, type Part } from '../context.ts';

/** The MQTT broker: in this process by default, an installed Mosquitto on request. */
export const broker: Part = {
  needs: ['db'],
  async start(context: Context) {
    const { options, ports, tls, secrets } = context;
    return startBroker({
      kind: options.broker,
      mqttPort: ports.mqtt,
      mqttsPort: ports.mqtts,
      tls: { cert: tls.certFile, key: tls.keyFile, ca: tls.caFile },
      dbUrl: given(context, 'postgres').url('ec_broker'),
      dataDir: join(context.dataDir, 'broker'),
      bridgePassword: secrets.bridgePassword,
      durable: options.brokerDurable,
      log: (level, message, more) => {
        if (level !== 'debug') context.log('broker', message, { level, ...more });
      },
    });
  },
};
