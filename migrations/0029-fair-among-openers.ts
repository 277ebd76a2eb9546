import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What is due at the same time goes by turns among those who opened it: a task knows how many open requests of its opener go before it. */
export class FairAmongOpeners1763989200000 implements MigrationInterface {
  name = 'FairAmongOpeners1763989200000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE task ADD ahead int NOT NULL DEFAULT 0;
DROP INDEX task_claimable;
CREATE INDEX task_claimable ON task (adapter_id, due_at, ahead, id, run_at) WHERE state IN ('ready', 'accepted', 'running');
CREATE INDEX dsar_request_open_of ON dsar_request (opened_by, id) WHERE closed_at IS NULL;`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX dsar_request_open_of;
DROP INDEX task_claimable;
ALTER TABLE task DROP ahead;
CREATE INDEX task_claimable ON task (adapter_id, due_at, id, run_at) WHERE state IN ('ready', 'accepted', 'running');`)
  }
}
