import type { OtaExclusion, OtaPreview, OtaPreviewDevice } from '@edgeconductor/sdk';
import { excludedHelp, excludedWord } from '#lib/firmware/excluded-words.ts';
import { stageName } from '#lib/firmware/stage-plan.ts';

/** Which part of the list is looked at: those who get it, or those whom one reason keeps out. */
export type Part = 'in' | OtaExclusion;

export function rowsOf(devices: readonly OtaPreviewDevice[], part: Part, q: string): OtaPreviewDevice[] {
  const wanted = q.trim().toLowerCase();
  return devices.filter(
    ({ serial, name, reason }) =>
      (part === 'in' ? reason === null : reason === part) &&
      (wanted === '' || `${serial} ${name ?? ''}`.toLowerCase().includes(wanted)),
  );
}

/** Why a device is left out: "In another job (#12)". */
export function whyNot({ reason, detail }: Pick<OtaPreviewDevice, 'reason' | 'detail'>): string {
  if (!reason) return '';
  const job = typeof detail === 'object' && detail !== null ? (detail as { job?: unknown }).job : undefined;
  return reason === 'busy' && job !== undefined
    ? `${excludedWord(reason)} (#${String(job)})`
    : excludedHelp(reason);
}

/** All of the list for a spreadsheet. Cells that a spreadsheet would run as a formula are made text. */
export function previewCsv({ devices, stages }: Pick<OtaPreview, 'devices' | 'stages'>): string {
  const lines = devices.map((device) => {
    const stage = device.stage === null ? undefined : stages[device.stage];
    return [
      device.serial,
      device.name ?? '',
      device.fw_version ?? '',
      device.status ?? '',
      device.reason === null ? 'yes' : 'no',
      stage ? stageName(stage, device.stage ?? 0, stages.length) : '',
      device.reason ?? '',
    ];
  });
  const head = ['serial', 'name', 'fw_version', 'status', 'gets_it', 'stage', 'reason'];
  return [head, ...lines].map((cells) => cells.map(cell).join(',')).join('\r\n') + '\r\n';
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
