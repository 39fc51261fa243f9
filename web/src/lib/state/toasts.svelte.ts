export interface Toast {
  id: number;
  kind: 'ok' | 'bad';
  text: string;
  /** One thing to do about it, such as taking it back. */
  action?: { label: string; run: () => void } | undefined;
}

const SHOWN_MS = 6000;
// Long enough to read, to think and to reach for it.
const SHOWN_WITH_ACTION_MS = 12_000;

/** Short results of what somebody just did. Alerts about the fleet are not toasts. */
export class Toasts {
  #list = $state<Toast[]>([]);
  #next = 1;

  get list(): readonly Toast[] {
    return this.#list;
  }

  show(kind: Toast['kind'], text: string, action?: Toast['action']): void {
    const id = this.#next++;
    this.#list.push({ id, kind, text, action });
    setTimeout(() => this.dismiss(id), action ? SHOWN_WITH_ACTION_MS : SHOWN_MS);
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
