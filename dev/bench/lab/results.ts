import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { describeMachine, type Machine } from './machine.ts';

const folder = join(import.meta.dirname, '../results');

/** Others that work on the machine make every number worse, so a result says how busy it was before. */
const loadBefore = Math.round((loadavg()[0] ?? 0) * 10) / 10;

/** One bench's outcome as it is kept beside the report. */
export interface Result<Data = unknown> {
  bench: string;
  /** Date of the run. */
  at: string;
  machine: Machine;
  /** Load average of the minute before the bench began. */
  load_before: number;
  /** What the person chose, so that the same command gives comparable numbers. */
  options: Record<string, unknown>;
  /** Postgres settings and versions that matter for the numbers. */
  conditions: Record<string, string>;
  data: Data;
}

/** Keeps a result under its bench's name, replacing the one before. Returns it. */
export function keepResult<Data>(
  bench: string,
  options: Record<string, unknown>,
  conditions: Record<string, string>,
  data: Data,
): Result<Data> {
  const at = new Date().toISOString().slice(0, 10);
  const result: Result<Data> = {
    bench,
    at,
    machine: describeMachine(),
    load_before: loadBefore,
    options,
    conditions,
    data,
  };
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${bench}.json`);
  writeFileSync(`${file}.new`, `${JSON.stringify(result, null, 2)}\n`);
  renameSync(`${file}.new`, file);
  return result;
}

export function readResults(): Map<string, Result> {
  const results = new Map<string, Result>();
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    // Nothing was measured yet.
  }
  for (const name of names) {
    const result = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Result;
    results.set(result.bench, result);
  }
  return results;
}
