import type { MigrationInterface, QueryRunner } from 'typeorm'

// Each version of the privacy policy that was ever in force here, as it stood: a request is answered under its own.
const UP = `
CREATE TABLE policy_version (
  version text PRIMARY KEY,
  document jsonb NOT NULL,
  since timestamptz NOT NULL
);
GRANT SELECT, INSERT ON policy_version TO dsar_app;
`

const DOWN = 'DROP TABLE policy_version;'

export class PolicyVersions1763900700000 implements MigrationInterface {
  name = 'PolicyVersions1763900700000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
