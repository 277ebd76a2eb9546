import type { MigrationInterface, QueryRunner } from 'typeorm'

// How far the clock of test mode is ahead of the real one. A database with this row is for tests, from its first request to its last.
const UP = `
CREATE TABLE test_clock (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  ahead_ms bigint NOT NULL DEFAULT 0 CHECK (ahead_ms >= 0)
);
GRANT SELECT, INSERT, UPDATE ON test_clock TO dsar_app;
`

export class TestClock1763900800000 implements MigrationInterface {
  name = 'TestClock1763900800000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE test_clock')
  }
}
