import { startBroker, type BrokerOptions } from '../../../dev/stack/broker/index.ts';
import { jsonLog } from '../../src/log.ts';

// The embedded broker as a process of its own, so that a test can kill -9 it.
const options = JSON.parse(process.env['BROKER_OPTIONS'] as string) as Omit<BrokerOptions, 'log'>;
const broker = await startBroker({ ...options, log: jsonLog({ part: 'broker' }) });
process.on('SIGTERM', () => void broker.stop().then(() => process.exit(0)));
process.stdout.write('ready\n');
