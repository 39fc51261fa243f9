import { makeOpenApi } from '../../../supabase/functions/api/openapi.ts';

/** The document that `GET /openapi.json` serves, so that a change of the API shows in review. */
export function generateOpenApi(): Promise<string> {
  return Promise.resolve(
    `${JSON.stringify(makeOpenApi('https://{project}.supabase.co/functions/v1/api'), null, 2)}\n`,
  );
}
