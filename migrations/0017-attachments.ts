import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * Files that go with messages. Bytes and name are sealed under the data key of their request, the bytes as a blob; a row says
 * what is known of them without opening them. Nobody gets one before a scanner has called it clean.
 */
const UP = `
CREATE TABLE attachment (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  message_id uuid REFERENCES message ON DELETE SET NULL,
  side text NOT NULL CHECK (side IN ('person', 'service', 'staff')),
  state text NOT NULL CHECK (state IN ('scanning', 'clean', 'refused', 'deleted')),
  name_sealed bytea CHECK ((name_sealed IS NULL) = (state IN ('refused', 'deleted'))),
  bytes int NOT NULL CHECK (bytes BETWEEN 1 AND 10485760),
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  found text, -- what the scanner calls it
  created_at timestamptz NOT NULL,
  scanned_at timestamptz,
  deleted_at timestamptz,
  CONSTRAINT only_what_is_clean_is_sent CHECK (message_id IS NULL OR scanned_at IS NOT NULL AND state IN ('clean', 'deleted'))
);
CREATE INDEX ON attachment (request_id, id);
GRANT SELECT, INSERT, UPDATE ON attachment TO dsar_app;
`

const DOWN = 'DROP TABLE attachment;'

export class Attachments1763901700000 implements MigrationInterface {
  name = 'Attachments1763901700000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
