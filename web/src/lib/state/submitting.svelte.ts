import type { SubmitFunction } from '$app/forms';

const NO_ANSWER = 'No answer. Check your connection and send it again; nothing you typed is lost.';

/** One enhanced form: busy while it is under way, and what was typed stays whatever happens to the network. */
export class Submitting {
  #busy = $state(false);
  #note = $state<string>();

  get busy(): boolean {
    return this.#busy;
  }

  /** Why it did not arrive; the form is as it was. What the server itself said is not in here. */
  get message(): string | undefined {
    return this.#note;
  }

  /** For `use:enhance`. */
  submit: SubmitFunction = ({ cancel }) => {
    // A second press acts once.
    if (this.#busy) return cancel();
    this.#busy = true;
    this.#note = undefined;
    return async ({ result, update }) => {
      if (result.type === 'error') this.#note = NO_ANSWER;
      else await update({ reset: false });
      // The layout asks the person to sign in; afterwards this stands beside the button to press again.
      if (result.type === 'failure' && result.data?.['sessionExpired'])
        this.#note = String(result.data['message']);
      this.#busy = false;
    };
  };
}
