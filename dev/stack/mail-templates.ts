import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './paths.ts';

export interface MailTemplate {
  subject: string;
  /** Absolute path of the HTML. */
  content_path: string;
}

const SECTION = /^\[auth\.email\.template\.(\w+)\]\n((?:(?!\[).*\n?)*)/gm;

/** The sign-in mails of `supabase/config.toml`, so that people see locally what production sends. */
export function mailTemplates(): Record<string, MailTemplate> {
  const file = join(root, 'supabase/config.toml');
  return existsSync(file) ? readTemplates(readFileSync(file, 'utf8'), root) : {};
}

/** Reads the `[auth.email.template.*]` sections; paths in them are relative to `base`. */
export function readTemplates(toml: string, base: string): Record<string, MailTemplate> {
  const templates: Record<string, MailTemplate> = {};
  for (const [, name = '', body = ''] of toml.matchAll(SECTION)) {
    const value = (key: string): string | undefined =>
      new RegExp(`^${key}\\s*=\\s*"(.*)"\\s*$`, 'm').exec(body)?.[1];
    const [subject, path] = [value('subject'), value('content_path')];
    if (subject !== undefined && path !== undefined)
      templates[name] = { subject, content_path: resolve(base, path) };
  }
  return templates;
}
