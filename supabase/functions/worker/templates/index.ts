/** Every mail we send, by the name the database gives it. */
import { renderInvitation } from './invitation.ts';
import type { Rendered } from './layout.ts';

const TEMPLATES: Record<string, (data: Record<string, unknown>) => Rendered | null> = {
  invitation: renderInvitation,
};

/** null: there is no such template, or its data lacks something. */
export function render(template: string, data: Record<string, unknown>): Rendered | null {
  return Object.hasOwn(TEMPLATES, template) ? (TEMPLATES[template]?.(data) ?? null) : null;
}
