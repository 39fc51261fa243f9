import { sveltekit } from '@sveltejs/kit/vite';
import adapter from '@sveltejs/adapter-node';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

// connect-src is missing on purpose: the addresses of the live socket are known at run time only and are
// added by hooks.server.ts.
const contentSecurityPolicy = {
  mode: 'auto' as const,
  directives: {
    'default-src': ['self' as const],
    'script-src': ['self' as const],
    'style-src': ['self' as const, 'unsafe-inline' as const],
    'img-src': ['self' as const, 'data:' as const],
    'font-src': ['self' as const],
    'object-src': ['none' as const],
    'base-uri': ['self' as const],
    'form-action': ['self' as const],
    'frame-ancestors': ['none' as const],
  },
};

// Left alone, the bundler makes a file of every icon that two pages share: fifty requests for one page. What most
// pages need anyway comes in three; what few need (chart, socket, palette) stays apart, and so does what only desks
// with forms and the pages of updates need: it would weigh on the pages people look at all day.
const forms =
  /web[\\/]src[\\/]lib[\\/](ui[\\/](Badge|ConfirmDialog|FormDialog|FormNote|Loadable|NoPermission|OlderLink|SecretDialog|Select|TypedConfirm|ZoneField)|join|keys|locations|members|orgs|partners|qr|rooms)/;
const firmware =
  /web[\\/]src[\\/]lib[\\/](firmware|state[\\/](job-|jobs-|device-update|firmware-upload|newest|renewed))/;
const sharedChunks = {
  groups: [
    { name: 'svelte', test: /node_modules[\\/](svelte|esm-env|@sveltejs|devalue)[\\/]/, minShareCount: 2 },
    {
      name: 'menus',
      test: /node_modules[\\/](bits-ui|@floating-ui|runed|svelte-toolbelt|tabbable)/,
      minShareCount: 3,
    },
    {
      name: 'shared',
      test: (id: string) =>
        /(web[\\/]src|sdk[\\/]src|@lucide)/.test(id) && !forms.test(id) && !firmware.test(id),
      minShareCount: 3,
    },
    { name: 'forms', test: forms, minShareCount: 2 },
    { name: 'firmware', test: firmware, minShareCount: 2 },
  ],
};

// The page it is for registers it: nobody else needs one.
const serviceWorker = { register: false as const };

export default defineConfig({
  plugins: [tailwindcss(), sveltekit({ adapter: adapter(), csp: contentSecurityPolicy, serviceWorker })],
  // A font inside the style sheet would need `data:` in the policy and would be loaded by everybody.
  build: { assetsInlineLimit: 0 },
  environments: { client: { build: { rolldownOptions: { output: { codeSplitting: sharedChunks } } } } },
  server: {
    proxy: {
      '/api': {
        target: process.env['EC_API_URL'] ?? 'http://127.0.0.1:20001/functions/v1/api',
        rewrite: (path) => path.replace(/^\/api/, ''),
      },
    },
  },
});
