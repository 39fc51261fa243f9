import { currentOrgId } from '#lib/server/current-org.ts';
import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = async (event) => ({ orgId: await currentOrgId(event) });
