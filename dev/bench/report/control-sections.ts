import type { Percentiles } from '../lab/percentiles.ts';
import type { Result } from '../lab/results.ts';
import { table, whole } from './table.ts';

interface Toggle {
  answer: Percentiles;
  device: Percentiles;
  screen: Percentiles;
}

export function toggleSection({ data, options }: Result<Toggle>): string {
  const row = (what: string, { n, p50, p95, p99, max }: Percentiles): (string | number)[] => [
    ...[what, whole(n)],
    ...[p50, p95, p99, max].map((ms) => `${ms} ms`),
  ];
  const rows = [
    row('the API has answered', data.answer),
    row('the device has it', data.device),
    row('the confirmation is at the screen', data.screen),
  ];
  return `${String(options['devices'])} devices on the whole local stack (embedded broker), each sending every 5 seconds; a person changes a setpoint through the gateway and the API, one change after the other, on devices whose page is open. From the request to the answer, to the device doing it, and to the confirmed value at the socket of the page.

${table(['until', 'changes', 'p50', 'p95', 'p99', 'max'], rows)}`;
}

interface Updates {
  all: {
    targeted: number;
    counts: Record<string, number>;
    told: Percentiles;
    installed: Percentiles;
    wrong: string[];
  };
  canary: {
    targeted: number;
    counts: Record<string, number>;
    stopped_ms: number;
    outside: number;
    wrong: string[];
  };
}

export function updatesSection({ data: { all, canary }, options }: Result<Updates>): string {
  const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
  const rows = [
    [
      'to all at once',
      ...[whole(all.targeted), states(all.counts), seconds(all.told.p50), seconds(all.told.max)],
      ...[seconds(all.installed.p50), seconds(all.installed.max), all.wrong.length],
    ],
    [
      `canary of ${String(options['canary'])}, the image crash-loops`,
      ...[whole(canary.targeted), states(canary.counts), '', '', '', '', canary.wrong.length],
    ],
  ];
  return `${whole(Number(options['devices']))} devices online, an image of ${String(options['kilobytes'])} kB uploaded and sent through the API. In the first job ${String(options['each'])} devices each get a corrupt download, boot a crashing image, lose power while installing, refuse, and say nothing (given up after a minute and a half). The second one stopped by itself ${seconds(canary.stopped_ms)} after its start; ${canary.outside} devices outside its canary heard of it. "Disagree" counts devices whose state at the platform differs from what they run and said.

${table(['job', 'devices', 'ended as', 'told, p50', 'told, last', 'installed, p50', 'installed, last', 'disagree'], rows)}`;
}

function states(counts: Record<string, number>): string {
  return Object.entries(counts)
    .filter(([, n]) => n > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([state, n]) => `${whole(n)} ${state}`)
    .join(', ');
}
