import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Finds the few decisions that reports count among all that stands on the record: of a case's entries one in thirty, or none. */
const UP = `CREATE INDEX audit_entry_decision ON audit_entry (event, stream) WHERE event IN ('extended', 'refused', 'refused_partly')`
const DOWN = 'DROP INDEX audit_entry_decision'

export class Reports1763900500000 implements MigrationInterface {
  name = 'Reports1763900500000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
