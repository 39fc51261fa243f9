import type { Org, OrgCreateInput } from '../contract/org.ts';
import type { Partner, PartnerCreate, PartnerOrg, PartnerStats } from '../contract/partner.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

export class Partners {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async list(options?: RequestOptions): Promise<Partner[]> {
    return (await this.#transport.request<Partner[]>({ method: 'GET', path: '/partners', options })).data;
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
