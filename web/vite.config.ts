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

export default defineConfig({
  plugins: [tailwindcss(), sveltekit({ adapter: adapter(), csp: contentSecurityPolicy })],
  // A font inside the style sheet would need `data:` in the policy and would be loaded by everybody.
  build: { assetsInlineLimit: 0 },
  server: {
    proxy: {
      '/api': {
        target: process.env['EC_API_URL'] ?? 'http://127.0.0.1:20001/functions/v1/api',
        rewrite: (path) => path.replace(/^\/api/, ''),
      },
    },
  },
});
