import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Systems that speak something else than our protocol are adapters too: of which kind, and what has to be known to ask one of that kind. */
const UP = `
ALTER TABLE adapter ADD COLUMN kind text NOT NULL DEFAULT 'service';
ALTER TABLE adapter ADD COLUMN settings jsonb NOT NULL DEFAULT '{}';
`

const DOWN = `
ALTER TABLE adapter DROP COLUMN settings;
ALTER TABLE adapter DROP COLUMN kind;
`

export class AdapterKinds1763902000000 implements MigrationInterface {
  name = 'AdapterKinds1763902000000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
