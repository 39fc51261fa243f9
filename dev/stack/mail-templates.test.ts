import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mailTemplates, readTemplates } from './mail-templates.ts';

test('subject and file of each sign-in mail come from config.toml', () => {
  const toml = `[auth.email]\notp_length = 6\n\n[auth.email.template.magic_link]\nsubject = "Code: {{ .Token }}"\ncontent_path = "./a/code.html"\n\n[auth.mfa.totp]\nsubject = "no"\n`;
  expect(readTemplates(toml, '/base')).toEqual({
    magic_link: { subject: 'Code: {{ .Token }}', content_path: '/base/a/code.html' },
  });
});

test("the project's own templates exist", () => {
  const templates = Object.values(mailTemplates());
  expect(templates.length).toBeGreaterThan(0);
  for (const { content_path } of templates) expect(existsSync(content_path)).toBe(true);
});
