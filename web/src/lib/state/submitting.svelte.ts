import type { SubmitFunction } from '$app/forms';

/** One enhanced form: busy while it is under way, and what was typed stays whatever happens to the network. */
export class Submitting {
  #busy = $state(false);
  #unsent = $state(false);

  get busy(): boolean {
    return this.#busy;
  }

  /** A sentence when the server could not be reached; the form is as it was. */
  get message(): string | undefined {
    return this.#unsent
      ? 'No answer. Check your connection and send it again; nothing you typed is lost.'
      : undefined;
  }

  /** For `use:enhance`. */
  submit: SubmitFunction = ({ cancel }) => {
    // A second press acts once.
    if (this.#busy) return cancel();
    this.#busy = true;
    this.#unsent = false;
    return async ({ result, update }) => {
      if (result.type === 'error') this.#unsent = true;
      else await update({ reset: false });
      this.#busy = false;
    };
  };
}
