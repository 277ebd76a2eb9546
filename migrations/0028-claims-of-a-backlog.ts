import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * A look for work counts what each adapter is running, and passes over what may not run yet: tasks that were promised for later, of
 * which a processor may have thousands. Both stand in an index, so that a look reads neither the backlog nor the promises.
 */
export class ClaimsOfABacklog1763902800000 implements MigrationInterface {
  name = 'ClaimsOfABacklog1763902800000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX task_claimable;
CREATE INDEX task_claimable ON task (adapter_id, due_at, id, run_at) WHERE state IN ('ready', 'accepted', 'running');
CREATE INDEX task_running ON task (adapter_id) WHERE state = 'running';`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX task_running;
DROP INDEX task_claimable;
CREATE INDEX task_claimable ON task (adapter_id, due_at, id) WHERE state IN ('ready', 'accepted', 'running');`)
  }
}
