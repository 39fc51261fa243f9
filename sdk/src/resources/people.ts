import type {
  Invitation,
  InvitationAccepted,
  InvitationPreview,
  InvitationState,
  InvitationTokenRequest,
  OrgInvitationCreateInput,
} from '../contract/invitation.ts';
import type { Member, MemberPatch, Role } from '../contract/member.ts';
import type { UserAccount } from '../contract/user.ts';
import { list } from '../pagination.ts';
import type { List } from '../pagination.ts';
import { path } from '../request.ts';
import type { RequestOptions, Transport } from '../request.ts';

export interface InvitationFilter {
  state?: InvitationState | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}

/** Invitations by e-mail. */
export class Invitations {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** To an organisation, newest first. */
  list(orgId: string, filter: InvitationFilter = {}, options?: RequestOptions): List<Invitation> {
    return list(this.#transport, path`/orgs/${orgId}/invitations`, { ...filter }, options);
  }

  /** To a partner, newest first. */
  ofPartner(partnerId: string, filter: InvitationFilter = {}, options?: RequestOptions): List<Invitation> {
    return list(this.#transport, path`/partners/${partnerId}/invitations`, { ...filter }, options);
  }

  /** Sends a mail; inviting again sends a new link. @throws ConflictError for who is a member · PermissionDeniedError */
  async create(
    orgId: string,
    invitation: OrgInvitationCreateInput,
    options?: RequestOptions,
  ): Promise<Invitation> {
    const input = {
      method: 'POST',
      path: path`/orgs/${orgId}/invitations`,
      body: invitation,
      options,
    } as const;
    return (await this.#transport.request<Invitation>(input)).data;
  }

  /** As a partner. */
  async invitePartner(partnerId: string, email: string, options?: RequestOptions): Promise<Invitation> {
    const input = {
      method: 'POST',
      path: path`/partners/${partnerId}/invitations`,
      body: { email },
      options,
    } as const;
    return (await this.#transport.request<Invitation>(input)).data;
  }

  /** Only the newest link works. */
  async resend(id: string, options?: RequestOptions): Promise<Invitation> {
    const input = { method: 'POST', path: path`/invitations/${id}/resend`, options } as const;
    return (await this.#transport.request<Invitation>(input)).data;
  }

  async revoke(id: string, options?: RequestOptions): Promise<void> {
    await this.#transport.request({ method: 'DELETE', path: path`/invitations/${id}`, options });
  }

  /** By the token of the link; needs no credential. @throws NotFoundError · RateLimitError */
  async preview(invitation: InvitationTokenRequest, options?: RequestOptions): Promise<InvitationPreview> {
    const input = { method: 'POST', path: '/invitations/preview', body: invitation, options } as const;
    return (await this.#transport.request<InvitationPreview>(input)).data;
  }

  /** As the person whose verified address was invited. @throws PermissionDeniedError · ConflictError */
  async accept(invitation: InvitationTokenRequest, options?: RequestOptions): Promise<InvitationAccepted> {
    const input = { method: 'POST', path: '/invitations/accept', body: invitation, options } as const;
    return (await this.#transport.request<InvitationAccepted>(input)).data;
  }
}

export interface MemberFilter {
  role?: Role | undefined;
  /** Part of the address or the name. */
  q?: string | undefined;
  limit?: number | undefined;
  after?: string | undefined;
}

/** Who has access to an organisation. */
export class Members {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Staff first, then customers and tenants. */
  list(orgId: string, filter: MemberFilter = {}, options?: RequestOptions): List<Member> {
    return list(this.#transport, path`/orgs/${orgId}/members`, { ...filter }, options);
  }

  /** Counts from their next request. */
  async changeRole(id: string, role: MemberPatch['role'], options?: RequestOptions): Promise<Member> {
    const input = { method: 'PATCH', path: path`/members/${id}`, body: { role }, options } as const;
    return (await this.#transport.request<Member>(input)).data;
  }

  /** Ends the access at once: your own, or one you may hand out. */
  async remove(id: string, options?: RequestOptions): Promise<void> {
    await this.#transport.request({ method: 'DELETE', path: path`/members/${id}`, options });
  }
}

/** Everybody who ever signed in; for administrators. */
export class Users {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(
    filter: { q?: string | undefined; limit?: number; after?: string } = {},
    options?: RequestOptions,
  ): List<UserAccount> {
    return list(this.#transport, '/users', { ...filter }, options);
  }
}
