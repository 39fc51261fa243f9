import { EdgeConductor, type Firmware, type OtaJob, type OtaJobInput } from '@edgeconductor/sdk';
import { espImage } from '../../../sdk/test/esp-image.ts';
import { ApiSession, type ApiAddress } from './api.ts';
import { ORGS, PASSWORD, REGISTRAR, type OrgSlug } from './plan.ts';
import type { Tenancy } from './seed-tenancy.ts';

const TYPE = 'EC-CLIMATE-V1';
const OWNER: OrgSlug = 'acme-manufacturing';
/** An update of the demo takes a few seconds. */
const PATIENCE_MS = 60_000;

const RELEASES = [
  { version: '1.2.1', notes: 'The first CO₂ reading after a cold start is right.' },
  { version: '1.3.0', notes: 'Longer battery life: the radio sleeps between two readings.' },
] as const;

/** One that is over, with somebody who did not make it, and one whose canary is being watched. */
const JOBS: Omit<OtaJobInput, 'firmware_id'>[] = [
  {
    name: 'Hall A',
    target: { serials: ['01', '02', '03', '04', '05'].map((n) => `EC-CLM-ACME${n}`) },
  },
  {
    name: 'Winter release',
    target: { product_type: TYPE },
    stages: [{ count: 2, soak_s: 6 * 3_600 }, { percent: 50, soak_s: 3_600 }, { percent: 100 }],
  },
];

/** `org/product type` → the key that devices of this maker and type check images with. */
export type MakerKeys = Map<string, string>;

/**
 * Two releases and two update jobs, made through the public API as people make them; what is there already stays.
 * Fills `keys` first, because a device without its maker's key installs nothing. Resolves when the canary is through.
 */
export async function seedUpdates(
  address: ApiAddress,
  { orgs }: Tenancy,
  keys: MakerKeys,
  signal: AbortSignal,
): Promise<void> {
  const ec = await clientOf(address, OWNER);
  const known = await ec.firmware.list({ orgId: orgs[OWNER], productType: TYPE, state: 'ready' });
  const releases: Firmware[] = [];
  for (const { version, notes } of RELEASES) {
    const found = known.find((firmware) => firmware.version === version);
    releases.push(found ?? (await release(ec, orgs[OWNER], version, notes)));
  }
  for (const { slug } of ORGS) {
    const client = slug === OWNER ? ec : await clientOf(address, slug);
    for (const { product_type, public_key } of await client.orgs.signingKeys(orgs[slug]))
      keys.set(`${slug}/${product_type}`, public_key);
  }
  const made = await ec.otaJobs.list(orgs[OWNER]);
  for (const [n, job] of JOBS.entries()) {
    const found = made.find(({ name }) => name === job.name);
    const { id } = found ?? (await ec.otaJobs.create(orgs[OWNER], { ...job, firmware_id: releases[n]!.id }));
    await isQuiet(ec, id, signal);
  }
}

function release(ec: EdgeConductor, org_id: string, version: string, notes: string): Promise<Firmware> {
  const file = espImage({ version, size: 600_000 });
  return ec.firmware.upload({
    ...{ org_id, product_type: TYPE, notes, file },
    filename: `climate-node-${version}.bin`,
  });
}

async function clientOf(address: ApiAddress, org: OrgSlug): Promise<EdgeConductor> {
  const { token } = await ApiSession.signIn(address, REGISTRAR[org], PASSWORD);
  return new EdgeConductor({ accessToken: () => token, baseUrl: address.api_url });
}

/** Over, or watched: nobody in it is at work. */
async function isQuiet(ec: EdgeConductor, id: string, signal: AbortSignal): Promise<void> {
  const isAtWork = ({ state, soaking_since }: OtaJob): boolean =>
    state === 'running' && soaking_since === null;
  const deadline = Date.now() + PATIENCE_MS;
  while (isAtWork(await ec.otaJobs.get(id)) && Date.now() < deadline) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
