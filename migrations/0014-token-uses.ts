import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What each token was used for that a token does once: as hashes, for as long as a token can live. */
const UP = `
CREATE TABLE token_use (
  use_hash bytea PRIMARY KEY,
  used_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON token_use (used_at);
GRANT SELECT, INSERT, DELETE ON token_use TO dsar_app;
`

const DOWN = 'DROP TABLE token_use'

export class TokenUses1763901400000 implements MigrationInterface {
  name = 'TokenUses1763901400000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
