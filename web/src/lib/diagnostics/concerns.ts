import type { DeviceDiagnostics, HealthVerdict } from '@edgeconductor/sdk';

/** A part of the panel: its name, and where it stands on the page. */
export interface Concern {
  part: string;
  anchor: string;
  verdict: HealthVerdict;
}

const RANK = { bad: 0, warn: 1, ok: 2, unknown: 3 } as const;

/** What needs somebody, the worst first; nothing when all is well. */
export function concerns(diagnostics: DeviceDiagnostics): Concern[] {
  const { battery, signal, heap, reboots, loss, skew, gps } = diagnostics;
  const parts: [string, string, { verdict: HealthVerdict } | null][] = [
    ['Battery', 'battery', battery],
    ['Signal', 'signal', signal],
    ['Memory', 'memory', heap],
    ['Restarts', 'restarts', reboots],
    ['Packets', 'packets', loss],
    ['Clock', 'packets', skew],
    ['GPS', 'place', gps],
  ];
  return parts
    .flatMap(([part, anchor, judged]) => (judged ? [{ part, anchor, verdict: judged.verdict }] : []))
    .filter(({ verdict }) => verdict.level === 'warn' || verdict.level === 'bad')
    .sort((a, b) => RANK[a.verdict.level] - RANK[b.verdict.level]);
}
