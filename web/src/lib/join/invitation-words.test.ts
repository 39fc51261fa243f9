import { expect, it } from 'vitest';
import { invitationWords, roleSentence } from './invitation-words.ts';

it('explains every way an invitation can end, and says what to do', () => {
  const all = (['accepted', 'expired', 'revoked', 'unknown', 'too_many'] as const).map((trouble) =>
    invitationWords(trouble, 'Harbour Hotel', 'about 12 minutes'),
  );
  expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
  for (const { text } of all) expect(text).toMatch(/ask|sign in|try again in about 12 minutes/i);
  expect(invitationWords('expired', 'Harbour Hotel', '').text).toContain('Harbour Hotel');
});

it('tells each role what it can do', () => {
  const roles = ['admin', 'partner', 'org_admin', 'operator', 'viewer', 'customer', 'tenant'] as const;
  expect(new Set(roles.map(roleSentence)).size).toBe(roles.length);
});
