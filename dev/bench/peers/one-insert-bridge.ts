/** The peer process of one-insert.ts. */
import { connect } from 'mqtt';
import pg from 'pg';

const env = (name: string): string => process.env[name] ?? '';

const db = new pg.Client({ connectionString: env('PEER_DB_URL') });
await db.connect();
const client = connect(env('PEER_MQTT_URL'), {
  username: env('PEER_MQTT_USER'),
  password: env('PEER_MQTT_PASSWORD'),
  clientId: env('PEER_MQTT_USER'),
  clean: false,
});
client.on('message', (topic, body) => {
  db.query('insert into public.bench_readings (serial, data) values ($1, $2)', [
    topic.split('/')[1],
    body.toString(),
  ]).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
  });
});
client.on('connect', () => {
  client.subscribe('devices/+/telemetry', { qos: 1 }, () => process.stdout.write('ready\n'));
});
