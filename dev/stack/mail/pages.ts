import { html, raw } from 'hono/html';
import type { Mail } from './mailbox.ts';

type Page = ReturnType<typeof html>;

const style = raw(`<style>
  :root { color-scheme: light dark; }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
  a { color: inherit; text-decoration: none; }
  ol { list-style: none; padding: 0; }
  li a { display: grid; grid-template-columns: 14rem 1fr auto; gap: 1rem; padding: .6rem .4rem; border-top: 1px solid #8884; }
  li a:hover { background: #8881; }
  small, time { opacity: .65; }
  iframe { width: 100%; height: 60vh; border: 1px solid #8884; border-radius: 6px; background: #fff; }
</style>`);

const page = (title: string, body: Page | Page[]): Page =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        ${style}
      </head>
      <body>
        ${body}
      </body>
    </html>`;

export function inboxPage(mails: readonly Mail[]): Page {
  const rows = mails.toReversed().map(
    (mail) =>
      html`<li>
        <a href="/messages/${mail.id}"
          ><span>${mail.to}</span><strong>${mail.subject}</strong
          ><time>${mail.at.slice(0, 19).replace('T', ' ')}</time></a
        >
      </li>`,
  );
  const list =
    rows.length > 0
      ? html`<ol>
          ${rows}
        </ol>`
      : html`<p>No mail yet. What the stack sends appears here.</p>`;
  return page(`Mail box (${mails.length})`, [
    html`<h1>Mail box</h1>
      <p><small>Nothing leaves this machine.</small></p>`,
    list,
  ]);
}

export function mailPage(mail: Mail): Page {
  const files = mail.attachments.map(
    (file, index) =>
      html`<li>
        <a href="/messages/${mail.id}/attachments/${index}">${file.filename} (${file.size} bytes)</a>
      </li>`,
  );
  return page(mail.subject, [
    html`<p><a href="/">← Mail box</a></p>
      <h1>${mail.subject}</h1>
      <p>To ${mail.to} · <time>${mail.at}</time></p>`,
    html`<ol>
      ${files}
    </ol>`,
    html`<iframe title="Message" src="/messages/${mail.id}/content"></iframe>`,
  ]);
}

/** The message itself; a plain text one keeps its line breaks. */
export const contentOf = (mail: Mail): string | Page =>
  mail.html !== '' ? mail.html : html`<pre style="white-space: pre-wrap">${mail.text}</pre>`;
