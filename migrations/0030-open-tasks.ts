import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * What is still owed is found without reading what was ever done: the states that are not over stand in small indexes of their own, and
 * so does the id under which a task was handed over. Which tasks of a request wait is found by the key that begins with the request.
 */
export class OpenTasks1764075600000 implements MigrationInterface {
  name = 'OpenTasks1764075600000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX task_waiting;
CREATE INDEX task_waiting ON task (adapter_id) WHERE state = 'waiting';
CREATE INDEX task_stuck ON task (adapter_id) WHERE state IN ('failed', 'quarantined');
CREATE INDEX task_handed ON task (key) WHERE state IN ('accepted', 'running');`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX task_handed, task_stuck, task_waiting;
CREATE INDEX task_waiting ON task (request_id) WHERE state = 'waiting';`)
  }
}
