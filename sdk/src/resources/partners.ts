import type { Org, OrgCreateInput } from '../contract/org.ts';
import type { Partner, PartnerCreate, PartnerOrg, PartnerPatch, PartnerStats } from '../contract/partner.ts';
import { list } from '../pagination.ts';
import type { List } from '../pagination.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

export class Partners {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `q`: part of the name or slug. */
  list(
    filter: { q?: string | undefined; limit?: number; after?: string } = {},
    options?: RequestOptions,
  ): List<Partner> {
    return list(this.#transport, '/partners', filter, options);
  }

  async get(id: string, options?: RequestOptions): Promise<Partner> {
    return (await this.#transport.request<Partner>({ method: 'GET', path: path`/partners/${id}`, options }))
      .data;
  }

  /** The plan is for administrators. */
  async update(id: string, patch: PartnerPatch, options?: RequestOptions): Promise<Partner> {
    const input = { method: 'PATCH', path: path`/partners/${id}`, body: patch, options } as const;
    return (await this.#transport.request<Partner>(input)).data;
  }

  /** For administrators. */
  async create(
    partner: Omit<PartnerCreate, 'plan'> & Partial<PartnerCreate>,
    options?: RequestOptions,
  ): Promise<Partner> {
    return (
      await this.#transport.request<Partner>({ method: 'POST', path: '/partners', body: partner, options })
    ).data;
  }

  async stats(id: string, options?: RequestOptions): Promise<PartnerStats> {
    const input = { method: 'GET', path: path`/partners/${id}/stats`, options } as const;
    return (await this.#transport.request<PartnerStats>(input)).data;
  }

  async orgs(id: string, options?: RequestOptions): Promise<PartnerOrg[]> {
    const input = { method: 'GET', path: path`/partners/${id}/orgs`, options } as const;
    return (await this.#transport.request<PartnerOrg[]>(input)).data;
  }

  async createOrg(id: string, org: OrgCreateInput, options?: RequestOptions): Promise<Org> {
    const input = { method: 'POST', path: path`/partners/${id}/orgs`, body: org, options } as const;
    return (await this.#transport.request<Org>(input)).data;
  }
}
