export interface Toast {
  id: number;
  kind: 'ok' | 'bad';
  text: string;
}

const SHOWN_MS = 6000;

/** Short results of what somebody just did. Alerts about the fleet are not toasts. */
export class Toasts {
  #list = $state<Toast[]>([]);
  #next = 1;

  get list(): readonly Toast[] {
    return this.#list;
  }

  show(kind: Toast['kind'], text: string): void {
    const id = this.#next++;
    this.#list.push({ id, kind, text });
    setTimeout(() => this.dismiss(id), SHOWN_MS);
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
