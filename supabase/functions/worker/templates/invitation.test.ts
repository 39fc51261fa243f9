import { describe, expect, it } from 'vitest';
import { render } from './index.ts';
import { inkOn } from './layout.ts';

const data = {
  url: 'https://app.example.com/invite?token=abc&x=1',
  email: 'ann@example.com',
  role: 'org_admin',
  org: { name: 'Acme', slug: 'acme', brand: { colour: '#aa3300', contact_email: 'help@acme.example' } },
  partner: null,
  room: null,
  inviter: 'bob@example.com',
  expires_at: '2026-11-30T10:00:00.000Z',
};

describe('an invitation', () => {
  it('says who invites whom to what until when, in text and in HTML, branded with the organisation', () => {
    const mail = render('invitation', data);
    expect(mail).toMatchObject({
      subject: 'Invitation to Acme',
      sender: 'Acme',
      replyTo: 'help@acme.example',
    });
    for (const body of [mail!.text, mail!.html]) {
      expect(body).toContain('bob@example.com invites you as an administrator');
      expect(body).toContain('ann@example.com');
      expect(body).toContain('30 November 2026');
    }
    expect(mail!.text).toContain(data.url);
    expect(mail!.html).toContain('href="https://app.example.com/invite?token=abc&amp;x=1"');
    expect(mail!.html).toContain('background:#aa3300');
  });

  it('of a partner and to a room read as such', () => {
    expect(render('invitation', { ...data, org: null, partner: data.org, role: 'partner' })?.text).toContain(
      'as a partner',
    );
    expect(render('invitation', { ...data, role: 'tenant', room: 'Flat 3' })?.subject).toBe(
      'Invitation to Flat 3 at Acme',
    );
  });

  it('cannot be made to carry markup, headers or another link', () => {
    const nasty = '<script>"x"\r\nBcc: all@example.com</script>';
    const mail = render('invitation', {
      ...data,
      inviter: nasty,
      org: { name: nasty, slug: 'x', brand: { colour: 'red;}', contact_email: 'none', name: 7 } },
    })!;
    expect(mail.html).not.toContain('<script>');
    expect(mail.html).toContain('background:#0f766e');
    expect(`${mail.subject}${mail.sender}`).not.toMatch(/["<>\r\n]/);
    expect(mail.replyTo).toBeNull();
    expect(render('invitation', { ...data, url: 'javascript:alert(1)' })).toBeNull();
  });

  it('with data that lacks something, or of an unknown kind, is none', () => {
    expect(render('invitation', { ...data, org: null })).toBeNull();
    expect(render('constructor', data)).toBeNull();
  });
});

it.each([
  ['#ffffff', '#000000'],
  ['#000000', '#ffffff'],
  ['#0f766e', '#ffffff'],
  ['#ffee00', '#000000'],
])('on %s one reads %s', (colour, ink) => {
  expect(inkOn(colour)).toBe(ink);
});
