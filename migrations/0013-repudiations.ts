import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Who can say that a request was not theirs, what waits after somebody did, and proofs that count no more. */
const UP = `
CREATE TABLE repudiation_link (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  contact int NOT NULL, -- number of the contact point whose letter has it
  letter text NOT NULL UNIQUE, -- which letter: it is written once, and so is its link
  token_mac bytea NOT NULL UNIQUE,
  code_mac bytea NOT NULL,
  tries int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON repudiation_link (request_id);

CREATE TABLE person_freeze (
  value_index bytea NOT NULL,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE, -- the one that was repudiated
  level int NOT NULL,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (value_index, request_id)
);
CREATE INDEX ON person_freeze (until);

ALTER TABLE dsar_request ADD COLUMN assurance_unfrozen int; -- while a freeze asks for more: what will do again when it is over
CREATE INDEX ON dsar_request (id) WHERE assurance_unfrozen IS NOT NULL AND closed_at IS NULL;
ALTER TABLE proof ADD COLUMN void_since timestamptz;

GRANT SELECT, INSERT, UPDATE, DELETE ON repudiation_link, person_freeze TO dsar_app;
`

const DOWN = `
ALTER TABLE proof DROP COLUMN void_since;
ALTER TABLE dsar_request DROP COLUMN assurance_unfrozen;
DROP TABLE person_freeze, repudiation_link;
`

export class Repudiations1763901300000 implements MigrationInterface {
  name = 'Repudiations1763901300000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
