/** The embedded broker as a process: started by lab/broker.ts with its options in the environment. */
import { startBroker, type BrokerOptions } from '../../stack/broker/index.ts';

const options = JSON.parse(process.env['EC_BROKER_OPTIONS'] ?? '{}') as Omit<BrokerOptions, 'log'>;
const broker = await startBroker({
  ...options,
  log(level, message, more) {
    if (level !== 'debug') process.stdout.write(`${JSON.stringify({ level, message, ...more })}\n`);
  },
});
process.once('SIGTERM', () => void broker.stop().then(() => process.exit(0)));
