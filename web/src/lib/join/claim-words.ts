import type { ClaimState } from '@edgeconductor/sdk';

/** Every state of a claim code but the one in which it can be used, and two more the server knows. */
export type ClaimTrouble = Exclude<ClaimState, 'claimable' | 'yours'> | 'unknown' | 'too_many';

export interface TroubleWords {
  title: string;
  /** What happened, then what to do. */
  text: string;
  /** Whether signing in may help, because the device could be theirs. */
  signIn: boolean;
}

/** `org` hands the device out; null when nobody may know. `wait`: "about 12 minutes". */
export function claimWords(trouble: ClaimTrouble, org: string | null, wait: string): TroubleWords {
  const who = org ?? 'whoever gave you the device';
  switch (trouble) {
    case 'used':
      return {
        title: 'This device has an owner already',
        text: `Its code was used, and a code works only once. If it is yours, sign in to see it. If you got it from somebody, ask them to give it away in their account; then ${who} can make a new code for you.`,
        signIn: true,
      };
    case 'expired':
      return {
        title: 'This code is too old',
        text: `It was only good for a while, and that is over. Ask ${who} for a new one; making it takes them a moment.`,
        signIn: false,
      };
    case 'reissued':
      return {
        title: 'There is a newer code',
        text: `Somebody made a new code for this device, so the one you scanned ended. Look for a newer label, or ask ${who}.`,
        signIn: false,
      };
    case 'transferred':
      return {
        title: 'This device has moved on',
        text: `It went to another organisation, and its code ended with that. Ask ${who} for a new code.`,
        signIn: false,
      };
    case 'unclaimed':
      return {
        title: 'This code ended when the device was given back',
        text: `Somebody had the device before and gave it back, which ends its code. Ask ${who} for a new one.`,
        signIn: false,
      };
    case 'retired':
      return {
        title: 'This device has been retired',
        text: `It does not connect any more, so it cannot be added. Ask ${who} for another one.`,
        signIn: false,
      };
    case 'unknown':
      return {
        title: 'We do not know this code',
        text: 'Scan the code on the device once more, all of it and not from a photo of a screen. If it stays like this, ask whoever gave you the device.',
        signIn: false,
      };
    case 'too_many':
      return {
        title: 'Too many tries',
        text: `To protect the device, codes are not looked at for a while. Try again in ${wait}.`,
        signIn: false,
      };
  }
}
