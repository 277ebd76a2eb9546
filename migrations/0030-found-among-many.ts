import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * What is still owed is found without reading what was ever done: the states that are not over stand in small indexes of their own, and
 * so does the id under which a task was handed over. Which tasks of a request wait is found by the key that begins with the request. And
 * a page of all requests is read in its order, and not sorted out of all there are.
 */
export class FoundAmongMany1764075600000 implements MigrationInterface {
  name = 'FoundAmongMany1764075600000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX task_waiting;
CREATE INDEX task_waiting ON task (adapter_id) WHERE state = 'waiting';
CREATE INDEX task_stuck ON task (adapter_id) WHERE state IN ('failed', 'quarantined');
CREATE INDEX task_handed ON task (key) WHERE state IN ('accepted', 'running');
CREATE INDEX dsar_request_in_order ON dsar_request (due_on, id);`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX dsar_request_in_order, task_handed, task_stuck, task_waiting;
CREATE INDEX task_waiting ON task (request_id) WHERE state = 'waiting';`)
  }
}
