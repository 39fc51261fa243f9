import { defineEnvVars } from '@sveltejs/kit/env';
import { building } from '$app/env';

const url = (name: string) => (value: string | undefined) => {
  const text = value ?? '';
  // The build looks at the routes without any installation to talk to.
  if (building) return text;
  if (!text || !URL.canParse(text))
    throw new Error(`${name} must be a full URL such as http://127.0.0.1:20001`);
  return text.replace(/\/+$/, '');
};

/** Everything is read when the server starts, so one build serves every installation. */
export const variables = defineEnvVars({
  SUPABASE_URL: { schema: url('SUPABASE_URL'), description: 'Auth server as this server reaches it' },
  EC_API_URL: { schema: url('EC_API_URL'), description: 'REST API as this server reaches it' },
  EC_WEB_SECRET: {
    schema: (value) => value ?? '',
    description: 'Shared with the API, which then believes this server about the addresses of its visitors',
  },
  PUBLIC_SUPABASE_URL: {
    public: true,
    schema: url('PUBLIC_SUPABASE_URL'),
    description: 'Realtime socket as the browser reaches it',
  },
  PUBLIC_SUPABASE_PUBLISHABLE_KEY: {
    public: true,
    schema: (value) => {
      if (!value && !building) throw new Error('PUBLIC_SUPABASE_PUBLISHABLE_KEY is missing');
      return value ?? '';
    },
    description: 'Publishable key of the Supabase project; safe to show',
  },
});
