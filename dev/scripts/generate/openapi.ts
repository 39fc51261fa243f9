import { format } from 'prettier';
import { makeOpenApi } from '../../../supabase/functions/api/openapi.ts';

/** The document of GET /openapi.json, committed so that a review shows what a change does to callers. */
export async function generateOpenApi(): Promise<string> {
  const document = makeOpenApi('{supabase_url}/functions/v1/api');
  return format(JSON.stringify(document), { parser: 'json', printWidth: 110 });
}
