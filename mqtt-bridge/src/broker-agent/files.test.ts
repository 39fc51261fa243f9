import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { hashPassword, renderAcl, renderPasswords, writeAtomically } from './files.ts';

it('writes one line per user', () => {
  const hash = hashPassword('secret');
  expect(hash).toMatch(/^\$7\$101\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/);
  expect(renderPasswords(new Map([['ec.bridge.relay', hash]]), new Map([['EC-1', hash]]))).toBe(
    `ec.bridge.relay:${hash}\nEC-1:${hash}\n`,
  );
});

it('leaves out a line that could smuggle in another', () => {
  const hash = hashPassword('secret');
  const devices = new Map([
    ['EC-1\nadmin', hash],
    ['#', hash],
    ['EC-2', `${hash}\nadmin:${hash}`],
    ['EC-3', ''],
    ['EC-4', hash],
  ]);
  expect(renderPasswords(new Map(), devices)).toBe(`EC-4:${hash}\n`);
});

it('lets a device write and read by pattern only, and nothing in both directions', () => {
  const lines = renderAcl(['ec.bridge.ingest']).split('\n');
  expect(lines).toContain('pattern write devices/%u/telemetry');
  expect(lines).toContain('pattern read devices/%u/shadow/desired');
  expect(lines.filter((line) => line.startsWith('topic'))).toEqual([
    'topic readwrite devices/#',
    'topic readwrite ec/bridge/#',
    'topic read $SYS/#',
  ]);
  expect(lines.indexOf('user ec.bridge.ingest')).toBe(0);
  expect(lines.some((line) => line.startsWith('pattern') && line.includes('#'))).toBe(false);
});

it('replaces a file in one step, readable by its owner only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ec-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'passwords');
  await writeAtomically(path, 'one\n');
  await writeAtomically(path, 'two\n');
  expect(readFileSync(path, 'utf8')).toBe('two\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['passwords']);
});
