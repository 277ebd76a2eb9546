import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * Tasks are claimed by the day they are due and then by age. All requests of a day are due together, so with the day alone each claim
 * would read and sort the whole backlog of its adapter to take a few.
 */
export class ClaimsInOrder1763902600000 implements MigrationInterface {
  name = 'ClaimsInOrder1763902600000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX task_claimable;
CREATE INDEX task_claimable ON task (adapter_id, due_at, id) WHERE state IN ('ready', 'accepted', 'running');`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX task_claimable;
CREATE INDEX task_claimable ON task (adapter_id, due_at) WHERE state IN ('ready', 'accepted', 'running');`)
  }
}
