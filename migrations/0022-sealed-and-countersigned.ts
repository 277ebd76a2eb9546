import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * Where an adapter says that an answer will lie may name the person, so it is kept sealed. A mandate can be taken back. What two
 * officers have to say alike is kept, under a keyed hash, from the word of the first to that of the second.
 */
const UP = `
UPDATE task SET state = 'ready', run_at = now() WHERE state = 'accepted'; -- sent again, under the same key
ALTER TABLE task DROP COLUMN location, ADD COLUMN location_sealed bytea;

ALTER TABLE mandate ADD COLUMN revoked_by text, ADD COLUMN revoked_at timestamptz,
  ADD CONSTRAINT what_is_revoked_was_approved CHECK ((revoked_by IS NULL) = (revoked_at IS NULL) AND (revoked_at IS NULL OR decision = 'approved'));

CREATE TABLE countersigning (
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  act text NOT NULL,
  said_mac bytea NOT NULL, -- of all that the first officer said
  proposed_by text NOT NULL,
  proposed_at timestamptz NOT NULL,
  PRIMARY KEY (request_id, act)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON countersigning TO dsar_app;
`

const DOWN = `
DROP TABLE countersigning;
ALTER TABLE mandate DROP CONSTRAINT what_is_revoked_was_approved, DROP COLUMN revoked_by, DROP COLUMN revoked_at;

UPDATE task SET state = 'ready', run_at = now() WHERE state = 'accepted';
ALTER TABLE task DROP COLUMN location_sealed, ADD COLUMN location text;
`

export class SealedAndCountersigned1763902200000 implements MigrationInterface {
  name = 'SealedAndCountersigned1763902200000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
