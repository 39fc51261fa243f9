/** What all mails look like: one column, the organisation's name and colour, one button. Tables and inline styles,
 *  because that is what mail programs understand. */
import { z } from 'zod';

export interface Rendered {
  subject: string;
  text: string;
  html: string;
  /** Name of the sender; null = the product's own. Safe inside quotes. */
  sender: string | null;
  replyTo: string | null;
}

export interface Letter {
  /** Whose mail it is. */
  name: string;
  colour: string;
  title: string;
  /** Plain text, one paragraph each. */
  paragraphs: string[];
  button: { label: string; url: string };
  footer: string;
}

export const DEFAULT_COLOUR = '#0f766e';

const Brand = z.object({
  name: z.string().trim().min(1).catch(''),
  colour: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i)
    .catch(''),
  color: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i)
    .catch(''),
  contact_email: z.email().nullable().catch(null),
});

/** What of an organisation's brand a mail can show; what is not understood counts as not given. */
export function brandOf(face: { name: string; brand: unknown }): {
  name: string;
  colour: string;
  contact: string | null;
} {
  const brand = Brand.safeParse(face.brand).data;
  return {
    name: brand?.name || face.name,
    colour: brand?.colour || brand?.color || DEFAULT_COLOUR,
    contact: brand?.contact_email ?? null,
  };
}

/** A name that can stand in a From header inside quotes. */
export function headerName(name: string): string {
  return name
    .replace(/["\\<>\p{Cc}]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 80);
}

export function toText({ title, paragraphs, button, footer }: Letter): string {
  return [title, ...paragraphs, `${button.label}:\n${button.url}`, '-- ', footer].join('\n\n') + '\n';
}

export function toHtml({ name, colour, title, paragraphs, button, footer }: Letter): string {
  const text = paragraphs.map((line) => `<p style="margin:0 0 16px">${escape(line)}</p>`).join('\n');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title></head>
<body style="margin:0;padding:24px 12px;background:#f3f5f3;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;color:#161c1b">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:520px;background:#ffffff;border-radius:12px;border-top:4px solid ${colour}">
<tr><td style="padding:28px 28px 8px">
<p style="margin:0 0 20px;font-weight:600">${escape(name)}</p>
<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">${escape(title)}</h1>
${text}
<p style="margin:24px 0"><a href="${escape(button.url)}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:${colour};color:${inkOn(colour)};font-weight:600;text-decoration:none">${escape(button.label)}</a></p>
<p style="margin:0 0 16px;font-size:13px;color:#57615e">If the button does nothing, open this address:<br><span style="word-break:break-all">${escape(button.url)}</span></p>
</td></tr>
<tr><td style="padding:16px 28px 24px;border-top:1px solid #e3e8e5;font-size:13px;color:#57615e">${escape(footer)}</td></tr>
</table>
</td></tr></table>
</body>
</html>
`;
}

export function escape(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (char) => entities[char] as string);
}

/** Black or white, whichever is read better on the colour (WCAG relative luminance). */
export function inkOn(colour: string): string {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? '#ffffff' : '#000000';
}
