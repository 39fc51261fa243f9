/**
 * How much the HTTPS door takes:
 * `node supabase/functions/test/load-door.ts [seconds] [connections] [packets per request] [requests a minute of a device]`.
 * Closed loop over keep-alive connections, written on sockets because the generator shares the machine. Ends with a
 * check that every packet that was answered 200 is stored.
 */
import { connect, type Socket } from 'node:net';
import { startApi, type TestApi } from './api.ts';

const [seconds = 10, connections = 32, packets = 1, perMinute = 100_000_000] = process.argv
  .slice(2)
  .map(Number);
const DEVICES = 500;
const PACKET = {
  temp: 24.3,
  hum: 58,
  co2: 847,
  relay: false,
  bat: 4.05,
  signal: -61,
  uptime: 3840,
  heap: 186432,
};

interface Device {
  serial: string;
  secret: string;
}

const api = await startApi({ EC_DEVICE_REQUESTS_PER_MINUTE: String(perMinute) });
try {
  const devices = await registerDevices(api);
  await run(devices, 2);
  const before = await stored();
  const { ms, latencies, failed } = await run(devices, seconds);
  const after = await stored();
  const ok = latencies.length - failed;
  latencies.sort((a, b) => a - b);
  const at = (share: number): string => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(1);
  const perSecond = (count: number): number => Math.round((count / ms) * 1000);
  console.log(
    JSON.stringify({
      seconds,
      connections,
      packets,
      per_minute: perMinute,
      requests_per_s: perSecond(ok),
      readings_per_s: perSecond(ok * packets),
      failed,
      p50_ms: at(0.5),
      p99_ms: at(0.99),
      stored: after - before,
      lost: ok * packets - (after - before),
    }),
  );
} finally {
  await api.stop();
  // The database cluster of this process would keep it alive; it ends with it.
  process.exit();
}

async function registerDevices(target: TestApi): Promise<Device[]> {
  const key = await target.apiKey(['provision']);
  const devices = Array.from({ length: DEVICES }, (_, n) => ({
    serial_no: `LOAD-${n}`,
    product_type: 'EC-CLIMATE-V1',
  }));
  const { body } = await target.call('POST', '/devices/bulk', { as: key, body: { devices } });
  return body.results.map(({ device }: { device: { serial_no: string; mqtt_password: string } }) => ({
    serial: device.serial_no,
    secret: device.mqtt_password,
  }));
}

function stored(): Promise<number> {
  return api.db.value<number>('select count(*)::int from public.telemetry');
}

async function run(
  devices: Device[],
  forSeconds: number,
): Promise<{ ms: number; latencies: number[]; failed: number }> {
  const body = JSON.stringify(packets === 1 ? PACKET : Array.from({ length: packets }, () => PACKET));
  const port = Number(new URL(api.url).port);
  const result = { ms: 0, latencies: [] as number[], failed: 0 };
  const begin = performance.now();
  const end = begin + forSeconds * 1000;
  let next = 0;
  const one = async (): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    while (performance.now() < end) {
      const device = devices[next++ % devices.length] as Device;
      const started = performance.now();
      if ((await request(socket, device, body)) !== 200) result.failed++;
      result.latencies.push(performance.now() - started);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, one));
  result.ms = performance.now() - begin;
  return result;
}

function request(socket: Socket, { serial, secret }: Device, body: string): Promise<number> {
  socket.write(
    `POST /api/devices/${serial}/telemetry HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${secret}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const head = text.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < head + 4 + length) return;
      socket.off('data', onData).off('error', reject);
      resolve(Number(text.slice(9, 12)));
    };
    socket.on('data', onData).once('error', reject);
  });
}
