import { format } from 'node:util';

/** What libraries print belongs in the log: stdout is the machine form's, stderr the person's. */
export function captureConsole(log: (part: string, message: string) => void): void {
  for (const method of ['log', 'info', 'debug', 'warn', 'error'] as const)
    console[method] = (...words: unknown[]) => log('console', format(...words));
}
