import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * A copy that the person wants sent directly to another controller (Art. 20(2)): one for a request, begun when the package is sealed and
 * settled before the person is told. Its id is the Idempotency-Key of every attempt.
 */
const UP = `
CREATE TABLE transmission (
  id uuid NOT NULL UNIQUE,
  request_id uuid PRIMARY KEY REFERENCES dsar_request ON DELETE CASCADE,
  receiver text NOT NULL,
  name text NOT NULL, -- of the receiver, as it was called then
  state text NOT NULL CHECK (state IN ('queued', 'delivered', 'refused', 'failed', 'dropped')),
  attempt int NOT NULL DEFAULT 0,
  problem text, -- a code
  give_up_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  settled_at timestamptz CHECK ((settled_at IS NULL) = (state = 'queued'))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON transmission TO dsar_app;
`

const DOWN = 'DROP TABLE transmission;'

export class Transmissions1763901100000 implements MigrationInterface {
  name = 'Transmissions1763901100000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
