/** Uploads an image to a test's API in the three steps of any client. */
import { espImage, type EspImageOptions } from '../../../sdk/test/esp-image.ts';
import type { Answer, TestApi } from './api.ts';

/** The ready firmware; needs an API with a store. */
export async function uploadFirmware(
  api: TestApi,
  as: string,
  options: EspImageOptions & { type?: string; orgId?: string } = {},
): Promise<Answer['body'] & { image: Uint8Array }> {
  const { type = 'EC-CLIMATE-V1', orgId, ...rest } = options;
  const image = espImage(rest);
  const body = { product_type: type, filename: 'node.bin', size: image.length, org_id: orgId };
  const begun = await api.call('POST', '/firmware', { as, body });
  if (begun.status !== 201) throw new Error(`no upload: ${begun.text}`);
  const { firmware, upload } = begun.body;
  await fetch(upload.url, { method: upload.method, headers: upload.headers, body: image });
  const done = await api.call('POST', `/firmware/${firmware.id}/finish`, { as });
  if (done.status !== 200) throw new Error(`no firmware: ${done.text}`);
  return { ...done.body, image };
}

/** Says in the database where devices find this API. */
export async function tellApiUrl({ db, url }: TestApi): Promise<void> {
  await db.query(`select vault.create_secret($1, 'ec_api_url')`, [url]);
}
