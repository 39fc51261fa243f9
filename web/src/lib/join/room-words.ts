import type { RoomTrouble } from './room.server.ts';

/** What happened to the code of a room, and what to do. `wait`: "about 12 minutes". */
export function roomWords(trouble: RoomTrouble, wait: string): { title: string; text: string } {
  switch (trouble) {
    case 'expired':
      return {
        title: 'This code is too old',
        text: 'The code on this sheet was only good for a while, and that is over. Ask the people who run the building for a new sheet.',
      };
    case 'rotated':
      return {
        title: 'There is a newer code for this room',
        text: 'The sheet you scanned is an old one. Scan the newest sheet in the room, or ask the people who run the building for it.',
      };
    case 'revoked':
      return {
        title: 'This code has been closed',
        text: 'The people who run the building closed it, so it opens the room for nobody. Ask them for a new sheet.',
      };
    case 'unknown':
      return {
        title: 'We do not know this code',
        text: 'Scan the code in your room once more, all of it and not from a photo of a screen. If it stays like this, ask the people who run the building.',
      };
    case 'too_many':
      return {
        title: 'Too many tries',
        text: `To protect the room, codes are not looked at for a while. Try again in ${wait}.`,
      };
  }
}
