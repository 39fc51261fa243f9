import { ORGS, PARTNER, PEOPLE } from './demo/plan.ts';
import type { PartName } from './options.ts';
import type { Report, RunningStack } from './stack.ts';

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
export function progress(failed: (sentence: string) => void): Report {
  const write = (line: string): void => void process.stderr.write(`  ${line}\n`);
  return {
    say: write,
    started: (part, ms) => write(`${WORDS[part].padEnd(26)}${seconds(ms).padStart(8)}`),
    failed,
  };
}

type Row = [name: string, value: string];

/** Where to look and how to sign in. */
export function welcome(stack: RunningStack): string {
  const { facts, context } = stack;
  const places: [string, string | null][] = [
    ['Dashboard', facts.web_url],
    ['Mail box', facts.mail_url],
    ['API', facts.api_url],
    ['Supabase', facts.supabase_url],
    ['MQTT', facts.mqtt_url && `${facts.mqtt_url} or ${facts.mqtts_url}`],
    ['MQTT CA', facts.mqtts_ca],
    ['Metrics', facts.metrics_url],
    ['Database', facts.db_url],
  ];
  const people: Row[] = [
    [facts.admin.email, 'admin of the platform'],
    ...(context.has('demo') ? demoPeople() : []),
  ];
  return box('EdgeConductor is running', [
    ...columns(places.filter((row): row is Row => row[1] !== null)),
    ...(context.has('auth')
      ? ['', `Sign in with the password ${facts.admin.password} as`, ...columns(people)]
      : []),
    '',
    `Ready after ${seconds(performance.now())}. Ctrl-C stops everything; ${context.dataDir} keeps the data.`,
  ]);
}

function demoPeople(): Row[] {
  return PEOPLE.map(({ email, role, org, room }) => {
    const name = role === 'partner' ? PARTNER.name : ORGS.find(({ slug }) => slug === org)?.name;
    return [email, `${role.replace('_', ' ')} of ${room ? `${room}, ` : ''}${name}`];
  });
}

function columns(rows: Row[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}

function box(title: string, lines: string[]): string {
  const width = Math.max(title.length + 1, ...lines.map((line) => line.length)) + 2;
  const body = lines.map((line) => `│ ${line.padEnd(width - 2)} │`);
  return [`╭─ ${title} ${'─'.repeat(width - title.length - 3)}╮`, ...body, `╰${'─'.repeat(width)}╯`, ''].join(
    '\n',
  );
}
