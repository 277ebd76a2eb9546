import type { MigrationInterface, QueryRunner } from 'typeorm'

/** How an adapter does: how often in a row it was out of order, until when it is left in peace, and who is told that it will be late. */
const UP = `
ALTER TABLE adapter ADD COLUMN strikes int NOT NULL DEFAULT 0;
ALTER TABLE adapter ADD COLUMN resting_until timestamptz;
ALTER TABLE adapter ADD COLUMN stopped_with_all boolean NOT NULL DEFAULT false;
ALTER TABLE adapter ADD COLUMN owner text;
ALTER TABLE adapter ADD COLUMN late_alarm_on date;
CREATE INDEX task_finished ON task (adapter_id, finished_at) WHERE state = 'done' AND asked;
`

const DOWN = `
DROP INDEX task_finished;
ALTER TABLE adapter DROP COLUMN strikes, DROP COLUMN resting_until, DROP COLUMN stopped_with_all, DROP COLUMN owner,
  DROP COLUMN late_alarm_on;
`

export class AdapterHealth1763902300000 implements MigrationInterface {
  name = 'AdapterHealth1763902300000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
