import { freshState } from '../lab/devices.ts';
import type { BrokerKind } from '../lab/broker.ts';
import { storeIn, type Contender } from './contender.ts';

export const oursStore = storeIn(
  'public.telemetry',
  (lab) => freshState(lab.db),
  `select s.serial, (t.data ->> 'uptime')::int as counter
   from public.telemetry t join public.device_state s using (device_num)`,
);

/** The product: bridge → ec.ingest_telemetry(), everything in one transaction, PUBACK after its commit. */
export function ours(broker: BrokerKind): Contender {
  return {
    name: broker === 'mosquitto' ? 'ours-mosquitto' : 'ours-embedded',
    label: `EdgeConductor bridge, ${broker === 'mosquitto' ? 'Mosquitto' : 'embedded broker'}`,
    does: 'dedup, device state, reported shadow, 29-reading windows and deviations in the transaction of the reading',
    acknowledges: 'after commit',
    broker,
    store: oursStore,
    async start(lab) {
      const bridge = await lab.bridge();
      return { pids: () => [bridge.pid], stop: () => bridge.stop() };
    },
  };
}
