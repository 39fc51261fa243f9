/** Versions as the platform orders them: a leading v is ignored, numbers count as numbers, 1.2.0-rc.1 is before 1.2.0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  const core = compareLists(left.core, right.core);
  if (core !== 0) return core;
  if (left.pre === null || right.pre === null) return Number(left.pre === null) - Number(right.pre === null);
  return compareLists(left.pre, right.pre);
}

function parts(version: string): { core: string[]; pre: string[] | null } {
  const [plain = ''] = version.replace(/^v/i, '').split('+');
  const dash = plain.indexOf('-');
  const core = (dash < 0 ? plain : plain.slice(0, dash)).split('.');
  return { core, pre: dash < 0 ? null : plain.slice(dash + 1).split('.') };
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = comparePart(a[i] ?? '', b[i] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(a: string, b: string): number {
  const numbers = /^\d*$/;
  if (numbers.test(a) && numbers.test(b)) return Math.sign(Number(a) - Number(b));
  return a < b ? -1 : Number(a > b);
}
