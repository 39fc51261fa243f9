import { onTestFinished } from 'vitest';
import { ImageServer } from '../../../cli/test/support/image-server.ts';
import { espImage } from '../../../sdk/test/esp-image.ts';
import type { World } from './world.ts';

/** An image that is ready for the fleet of a test, and the server its links lead to. */
export interface TestFirmware {
  id: string;
  version: string;
  images: ImageServer;
}

export async function offerFirmware(world: World, version: string): Promise<TestFirmware> {
  const images = await ImageServer.start(espImage({ version, size: 60_000 }));
  onTestFinished(() => images.stop());
  await world.sql(`select vault.create_secret($1, 'ec_api_url')`, [images.url]);
  const { sha256, signature, size } = images.order({ version });
  const [row] = await world.sql<{ id: string }>(
    `insert into public.firmware (org_id, product_type, version, filename, size, sha256, signature, object_path, state,
       created_by_kind, ready_at)
     select d.org_id, d.product_type, $2, 'node.bin', $3, $4, $5, 'node.bin', 'ready', 'system', now()
     from public.devices d where d.serial = $1 returning id`,
    [world.fleet[0]?.serial, version, size, sha256, signature],
  );
  return { id: row?.id ?? '', version, images };
}
