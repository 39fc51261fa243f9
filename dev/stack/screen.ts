import { performance } from 'node:perf_hooks';
import type { Report, RunningStack } from './stack.ts';
import type { PartName } from './options.ts';

const WORDS: Record<PartName, string> = {
  db: 'Database',
  mail: 'Mail box',
  auth: 'Sign-in, data and files',
  api: 'API',
  worker: 'Worker',
  realtime: 'Live updates',
  cron: 'Schedules',
  broker: 'MQTT broker',
  bridge: 'Bridge',
  web: 'Web app',
  demo: 'Demo fleet',
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Calm lines on stderr while the parts come up. */
export function progress(_json: boolean, failed: (sentence: string) => void): Report {
  return {
    say: (sentence) => process.stderr.write(`  ${sentence}\n`),
    started: (part, ms) => process.stderr.write(`  ${WORDS[part].padEnd(26)}${seconds(ms).padStart(7)}\n`),
    failed,
  };
}

/** Where to look and how to sign in. */
export function welcome(stack: RunningStack): string {
  const { facts } = stack;
  const rows: [string, string | null][] = [
    ['Dashboard', facts.web_url],
    ['API', facts.api_url],
    ['Supabase', facts.supabase_url],
    ['Mail box', facts.mail_url],
    ['MQTT', facts.mqtt_url && `${facts.mqtt_url}   TLS ${facts.mqtts_url}`],
    ['Database', facts.db_url],
  ];
  const lines = rows
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.padEnd(11)}${value}`);
  lines.push('', `Sign in     ${facts.admin.email} / ${facts.admin.password}`);
  lines.push('', `Ready after ${seconds(performance.now())}. Ctrl-C stops everything.`);
  return box('EdgeConductor is running', lines);
}

function box(title: string, lines: string[]): string {
  const width = Math.max(title.length + 2, ...lines.map((line) => line.length)) + 2;
  const body = lines.map((line) => `│ ${line.padEnd(width - 2)} │`);
  return [`╭─ ${title} ${'─'.repeat(width - title.length - 3)}╮`, ...body, `╰${'─'.repeat(width)}╯`, ''].join(
    '\n',
  );
}
