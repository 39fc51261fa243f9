/** The mails that wait in the database. Claimed with a lease: what a dead worker held is claimed again. */
import type { Db } from '../../_shared/db.ts';

export interface OutboxMail {
  id: number;
  to_address: string;
  template: string;
  data: Record<string, unknown>;
  attempts: number;
}

export class MailOutbox {
  readonly #sql: Db;
  readonly #worker: string;
  constructor(sql: Db, worker: string) {
    this.#sql = sql;
    this.#worker = worker;
  }

  claim(): Promise<OutboxMail[]> {
    return this.#sql<OutboxMail[]>`
      select m.id, m.to_address, m.template, m.data, m.attempts from ec.claim_mail(${this.#worker}) m order by m.id`;
  }

  /** Sent: tokens in its data are forgotten with that. */
  async finish(id: number): Promise<void> {
    await this.#sql`select ec.finish_mail(${id}, ${this.#worker})`;
  }

  /** `retry` false: it will never go. */
  async fail(id: number, error: string, retry: boolean): Promise<void> {
    await this.#sql`select ec.fail_mail(${id}, ${this.#worker}, ${error.slice(0, 500)}, ${retry})`;
  }
}
