import type { Me, MePatch } from '../contract/member.ts';
import type { ProductType } from '../contract/product-type.ts';
import type { RequestOptions, Transport } from '../request.ts';

/** Product types with their metrics: labels, units, decimals, ranges. */
export class ProductTypes {
  readonly #transport: Transport;
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async list(options?: RequestOptions): Promise<ProductType[]> {
    return (await this.#transport.request<ProductType[]>({ method: 'GET', path: '/product-types', options }))
      .data;
  }
}

export async function whoAmI(transport: Transport, options?: RequestOptions): Promise<Me> {
  return (await transport.request<Me>({ method: 'GET', path: '/me', options })).data;
}

export async function updateMe(transport: Transport, patch: MePatch, options?: RequestOptions): Promise<Me> {
  return (await transport.request<Me>({ method: 'PATCH', path: '/me', body: patch, options })).data;
}

export async function countSignIn(
  transport: Transport,
  email: string,
  options?: RequestOptions,
): Promise<void> {
  await transport.request({ method: 'POST', path: '/sign-in/attempts', body: { email }, options });
}

export async function confirmSignIn(
  transport: Transport,
  email: string,
  options?: RequestOptions,
): Promise<void> {
  await transport.request({ method: 'POST', path: '/sign-in/successes', body: { email }, options });
}
