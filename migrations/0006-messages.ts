import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What the person and the staff write to each other about a request. Nobody can change or take back what was written. */
const UP = `
CREATE TABLE message (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  side text NOT NULL CHECK (side IN ('person', 'service', 'staff')),
  text_sealed bytea NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON message (request_id, id);
GRANT SELECT, INSERT ON message TO dsar_app;
`

const DOWN = 'DROP TABLE message'

export class Messages1763900600000 implements MigrationInterface {
  name = 'Messages1763900600000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
