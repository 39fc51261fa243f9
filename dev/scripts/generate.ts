/** Files made from other files: `npm run generate` writes them, the gate compares them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { root } from './check/run-tool.ts';
import { generateFirmwareContract } from './generate/firmware-contract.ts';

export interface Generator {
  /** Path of the file it makes, from the repository root. */
  output: string;
  /** The whole file as text; needs no running stack. */
  make(): Promise<string>;
}

export const generators: Generator[] = [
  { output: 'firmware/src/ec/generated/contract.h', make: generateFirmwareContract },
];

if (import.meta.main) {
  for (const { output, make } of generators) {
    const path = join(root, output);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, await make());
    console.log(`wrote ${output}`);
  }
}
