import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What a call back said came of its task, and under which key it was asked: held against the answer, which is fetched. */
export class SaidByCallBack1763902700000 implements MigrationInterface {
  name = 'SaidByCallBack1763902700000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE callback_seen ADD COLUMN said jsonb')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE callback_seen DROP COLUMN said')
  }
}
