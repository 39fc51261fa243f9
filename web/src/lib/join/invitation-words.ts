import type { Role } from '#lib/auth/roles.ts';
import type { InvitationTrouble } from './invitation.server.ts';

/** What somebody will be able to do, in a sentence that begins with "You". */
export function roleSentence(role: Role): string {
  switch (role) {
    case 'admin':
      return 'You will run the whole platform.';
    case 'partner':
      return 'You will set up organisations for your customers and look after their devices.';
    case 'org_admin':
      return 'You will see every device, and manage people, rooms and settings.';
    case 'operator':
      return 'You will see every device, control them and deal with alerts.';
    case 'viewer':
      return 'You will see every device and its readings.';
    case 'customer':
      return 'You will see your own devices and their readings.';
    case 'tenant':
      return 'You will see how the air in your room is.';
  }
}

/** Why an invitation cannot be accepted, and what to do. `wait`: "about 12 minutes". */
export function invitationWords(
  trouble: InvitationTrouble,
  place: string | null,
  wait: string,
): { title: string; text: string } {
  const who = place ? `the person at ${place} who invited you` : 'the person who invited you';
  switch (trouble) {
    case 'accepted':
      return {
        title: 'This invitation was accepted already',
        text: 'An invitation works once. If that was you, sign in and you are there.',
      };
    case 'expired':
      return {
        title: 'This invitation is too old',
        text: `An invitation is good for seven days. Ask ${who} to send it again.`,
      };
    case 'revoked':
      return {
        title: 'This invitation was withdrawn',
        text: `It opens nothing any more. If that surprises you, ask ${who}.`,
      };
    case 'unknown':
      return {
        title: 'We do not know this invitation',
        text: `Open the link in the newest mail once more, all of it. If it stays like this, ask ${who} to send it again.`,
      };
    case 'too_many':
      return {
        title: 'Too many tries',
        text: `Invitations are not looked at for a while. Try again in ${wait}.`,
      };
  }
}
