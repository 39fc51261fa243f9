import { callApi } from './device.ts';
import { people } from './people.ts';

interface Row {
  serial_no: string;
  product_type: string;
  status: string;
}

/** Serial of a simulated climate node of the demo that reports now and has two weeks of history. */
export async function demoDevice(): Promise<string> {
  const rows = await callApi<Row[]>(
    people.viewer,
    'GET',
    '/devices?status=online&product_type=EC-CLIMATE-V1',
  );
  const found = rows.find((row) => !row.serial_no.startsWith('E2E-') && !row.serial_no.startsWith('PAGE-'));
  if (!found) throw new Error('The demo has no online climate node.');
  return found.serial_no;
}
