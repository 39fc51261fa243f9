import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../harness/database.ts';

let db: Database;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.drop());

const OPTIONS = [{ value: 1, label: 'One' }];
const define = (control: Record<string, unknown>): Promise<unknown> =>
  db.query(
    `insert into public.control_definitions select * from jsonb_populate_record(null::public.control_definitions, $1)`,
    [
      JSON.stringify({
        ...{ product_type: 'tracker', label: 'L', hint: '', unit: '', decimals: 0, options: [] },
        ...{ confirm: false, sort: 1, ...control },
      }),
    ],
  );

describe('a control', () => {
  test.each([
    { key: 'a', kind: 'boolean', on_label: 'Open', off_label: 'Shut', confirm: true },
    { key: 'b', kind: 'number', min_value: 0, max_value: 10, step: 0.5 },
    { key: 'c', kind: 'number' },
    { key: 'd', kind: 'enum', options: [...OPTIONS, { value: 'two', label: 'Two' }] },
    { key: 'e', kind: 'text' },
  ])('may be $kind', async (control) => {
    await define(control);
  });

  test.each([
    [{ key: 'x', kind: 'colour' }, 'kind_is_known'],
    [{ key: '1x', kind: 'text' }, 'key_is_valid'],
    [{ key: 'x', kind: 'number', min_value: 5, max_value: 5 }, 'range_is_ordered'],
    [{ key: 'x', kind: 'number', step: 0 }, 'step_is_positive'],
    [{ key: 'x', kind: 'boolean', min_value: 1 }, 'numbers_alone_have_ranges'],
    [{ key: 'x', kind: 'enum' }, 'choices_have_options'],
    [{ key: 'x', kind: 'text', options: OPTIONS }, 'choices_have_options'],
    [{ key: 'x', kind: 'enum', options: [{ value: true, label: 'L' }] }, 'choices_have_options'],
    [{ key: 'x', kind: 'enum', options: [{ value: 1 }] }, 'choices_have_options'],
    [{ key: 'x', kind: 'enum', options: [...OPTIONS, 'two'] }, 'choices_have_options'],
  ])('may not be %j', async (control, constraint) => {
    await expect(define(control)).rejects.toThrow(constraint);
  });
});

test('what a customer may set on a climate node has a control', async () => {
  expect(
    await db.value(
      `select array_agg(k) from public.product_types t, unnest(t.controllable_keys) k
       where not exists (select from public.control_definitions c where c.product_type = t.key and c.key = k)`,
    ),
  ).toBeNull();
});
