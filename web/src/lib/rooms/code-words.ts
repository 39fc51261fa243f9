/** `ABCDEFGHJKMNPQRS` → `ABCD EFGH JKMN PQRS`: a code people can read out and type. */
export function grouped(code: string): string {
  return code.match(/.{1,4}/g)?.join(' ') ?? code;
}
