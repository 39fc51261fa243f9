import type { Queryable } from '../db.ts';

/** Puts the present shadow document into the outbox for each of these serials, given as JSON texts. */
export async function answerShadowGet(db: Queryable, serials: readonly string[]): Promise<void> {
  await db.query(
    'select ec.answer_shadow_get(array(select json_array_elements_text($1::json)))',
    [`[${serials.join(',')}]`],
    'answer_shadow_get',
  );
}
