import { Role } from '@edgeconductor/sdk/contract';
import { z } from 'zod';
import { brandOf, headerName, toHtml, toText } from './layout.ts';
import type { Letter, Rendered } from './layout.ts';

const Face = z.object({ name: z.string(), brand: z.unknown() });

/** As ec.create_invitation writes it. */
const Data = z.object({
  url: z.url({ protocol: /^https?$/ }),
  email: z.string(),
  role: Role,
  org: Face.nullable(),
  partner: Face.nullable(),
  room: z.string().nullable(),
  inviter: z.string().nullable(),
  expires_at: z.string(),
});

const AS: Record<z.infer<typeof Role>, string> = {
  admin: 'as an administrator of the platform',
  partner: 'as a partner, to look after its organisations',
  org_admin: 'as an administrator',
  operator: 'as an operator, to watch and control its devices',
  viewer: 'as a viewer',
  customer: 'to see and use your own devices',
  tenant: 'to see the climate of your room',
};

export function renderInvitation(input: Record<string, unknown>): Rendered | null {
  const data = Data.safeParse(input).data;
  const face = data?.org ?? data?.partner;
  if (!data || !face) return null;
  const { name, colour, contact } = brandOf(face);
  const what = data.room === null ? name : `${data.room} at ${name}`;
  const letter: Letter = {
    name,
    colour,
    title: `You are invited to ${what}`,
    paragraphs: [
      `${data.inviter ?? name} invites you ${AS[data.role]}.`,
      `The invitation is for ${data.email} and can be accepted once, until ${dayOf(data.expires_at)}.`,
    ],
    button: { label: 'Accept the invitation', url: data.url },
    footer: `You did not expect this? Then do nothing: without you the invitation ends by itself.${
      contact === null ? '' : ` Questions go to ${contact}.`
    }`,
  };
  return {
    subject: headerName(`Invitation to ${what}`),
    text: toText(letter),
    html: toHtml(letter),
    sender: headerName(name) || null,
    replyTo: contact,
  };
}

/** `30 November 2026`, in UTC: the day that is safe everywhere. */
function dayOf(time: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(time));
}
