import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** CPU seconds a process and everything below it have used so far; 0 where there is no /proc. */
export function cpuSeconds(pid: number): number {
  try {
    const children = childrenByParent();
    const count = (id: number): number =>
      ticksOf(id) + (children.get(id) ?? []).reduce((sum, child) => sum + count(child), 0);
    return count(pid) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Resident memory of a process and everything below it, MB. */
export function residentMb(pid: number): number {
  try {
    const children = childrenByParent();
    const count = (id: number): number =>
      pagesOf(id) + (children.get(id) ?? []).reduce((sum, child) => sum + count(child), 0);
    return Math.round((count(pid) * 4_096) / 1e6);
  } catch {
    return 0;
  }
}

/** Own time and that of children that ended; the living ones are counted as processes of their own. */
function ticksOf(pid: number): number {
  const fields = statOf(pid);
  return fields ? [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) : 0;
}

function pagesOf(pid: number): number {
  return Number(statOf(pid)?.[21] ?? 0);
}

/** Fields of /proc/<pid>/stat behind the name, which may hold spaces; undefined when the process is gone. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(Number(name))?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  return children;
}
