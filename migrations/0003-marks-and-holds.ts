import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * What is known of people without knowing them, by keyed hashes of their identities alone: which rights of theirs are in force,
 * and who is under a legal hold. A mark refers to its request without depending on it, because it outlives whatever the request
 * knew: somebody who was erased can be recognised, so that they are not taken in again unseen.
 */
const UP = `
CREATE TABLE subject_mark (
  value_index bytea NOT NULL,
  kind text NOT NULL,
  "of" text NOT NULL DEFAULT '',
  request_id uuid NOT NULL,
  since timestamptz NOT NULL,
  lifted_at timestamptz,
  PRIMARY KEY (value_index, kind, "of", request_id)
);
CREATE INDEX ON subject_mark (request_id, kind);

CREATE TABLE legal_hold (
  id uuid PRIMARY KEY,
  reason text NOT NULL,
  reference_sealed bytea NOT NULL,
  note_sealed bytea,
  proposed_by text NOT NULL,
  proposed_at timestamptz NOT NULL,
  approved_by text,
  approved_at timestamptz,
  release_reason text,
  release_proposed_by text,
  release_proposed_at timestamptz,
  released_by text,
  released_at timestamptz,
  holds_until timestamptz NOT NULL
);

CREATE TABLE legal_hold_identity (
  hold_id uuid NOT NULL REFERENCES legal_hold ON DELETE CASCADE,
  type text NOT NULL,
  value_index bytea NOT NULL,
  PRIMARY KEY (value_index, hold_id)
);
CREATE INDEX ON legal_hold_identity (hold_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON subject_mark, legal_hold, legal_hold_identity TO dsar_app;
`

const DOWN = 'DROP TABLE legal_hold_identity, legal_hold, subject_mark;'

export class MarksAndHolds1763900300000 implements MigrationInterface {
  name = 'MarksAndHolds1763900300000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
