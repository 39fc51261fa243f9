import { lineAt, type Problem, type SourceFile } from './problem.ts';

/** Code that runs on servers only; what it reads from the environment is no browser's business. */
const SERVER_SOURCES =
  /^(?:supabase\/functions\/(?:_shared|api|worker)\/.*|mqtt-bridge\/src\/.*|web\/src\/env|dev\/stack\/function-env)\.ts$/;
const VARIABLE = /(?<![A-Z_])(?:EC|SUPABASE|RESEND)_[A-Z][A-Z_]*[A-Z]\b/g;
/** Secrets by how they look; a bare prefix, as in `ec_live_…` on a page, is none. */
const SECRET =
  /\b(?:ec_(?:live|prov|dev)_[A-Za-z0-9_-]{20,}|sb_secret_[A-Za-z0-9_-]{8,}|whsec_[A-Za-z0-9+/=]{20,}|re_[A-Za-z0-9]{8,}_[A-Za-z0-9]{16,})|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bpostgres(?:ql)?:\/\/[^\s/"'`:]+:[^\s/"'`@]+@|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{20,}|\bservice_role\b/g;

/** A variable is read as `PUBLIC_…` when every visitor may know it. */
export function serverVariables(sources: SourceFile[]): Set<string> {
  const texts = sources.filter(({ path }) => SERVER_SOURCES.test(path) && !path.endsWith('.test.ts'));
  return new Set(texts.flatMap(({ text }) => [...text.matchAll(VARIABLE)].map(([name]) => name)));
}

/**
 * What every visitor downloads names no server variable and holds no secret. `planted` is a value that the build was
 * given for a secret: to find it means that it was baked in.
 */
export function checkBundle(bundle: SourceFile[], sources: SourceFile[], planted: string): Problem[] {
  const variables = serverVariables(sources);
  return bundle.flatMap(({ path, text }) => {
    const found = [
      ...[...text.matchAll(VARIABLE)].filter(([name]) => variables.has(name)),
      ...text.matchAll(SECRET),
      ...text.matchAll(new RegExp(planted, 'g')),
    ];
    return found.map((match) => ({
      file: path,
      line: lineAt(text, match.index),
      message: `a browser downloads ${JSON.stringify(match[0].slice(0, 24))}, which belongs to a server.`,
      fix: 'read it in a *.server.ts file or a +server.ts route and send only the answer',
    }));
  });
}
