import type { Run } from './measure.ts';

/** A line for the person who waits. Benches print to stderr; results go to files. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function sayRun({ contender, verdict, seconds, readings_per_s, cpu_s }: Run): void {
  const cpu = Object.entries(cpu_s).map(([part, used]) => `${part} ${((100 * used) / seconds).toFixed(0)} %`);
  say(
    `${contender.padEnd(16)} ${String(readings_per_s).padStart(7)} readings/s  ${verdict.rows} stored of ` +
      `${verdict.acknowledged} in ${seconds.toFixed(1)} s, ${verdict.lost} lost, ${verdict.doubled} doubled  (${cpu.join(', ')})`,
  );
}
