import { sameValue } from '@edgeconductor/sdk/contract';

export type Document = Record<string, unknown>;

/**
 * Which desired document counts. Versioned ones (shadow/document, the answer to a poll) come in any order and more
 * than once: older ones are passed over. The retained one has no version: it counts as long as no version is known,
 * afterwards it is only a hint to ask.
 */
export class DesiredShadow {
  #version = -1;
  #document: Document | undefined;

  get version(): number {
    return this.#version;
  }

  /** The document to obey, or null when it is old or already held. */
  takeVersioned(version: number, desired: Document): Document | null {
    if (version < this.#version) return null;
    const known = this.#document !== undefined && sameValue(this.#document, desired);
    this.#version = version;
    this.#document = desired;
    return known ? null : desired;
  }

  /** The document to obey, null when it says nothing new, or `ask` when a version should tell whether it is newer. */
  takePlain(desired: Document): Document | null | 'ask' {
    if (this.#document !== undefined && sameValue(this.#document, desired)) return null;
    if (this.#version >= 0) return 'ask';
    this.#document = desired;
    return desired;
  }

  /** A restart: memory is lost. */
  forget(): void {
    this.#version = -1;
    this.#document = undefined;
  }
}
