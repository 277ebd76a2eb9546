import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * Who acts for somebody, and by what power. Whoever acts is kept apart from the addresses of the person, so that no letter can
 * mistake the one for the other. Of a document nothing is kept but its hash; the table itself refuses a power that one person decided on alone.
 */
const UP = `
CREATE TABLE requester (
  request_id uuid PRIMARY KEY REFERENCES dsar_request ON DELETE CASCADE,
  name_sealed bytea NOT NULL,
  email_sealed bytea NOT NULL,
  user_index bytea, -- of whoever was logged in when they asked
  proven_at timestamptz, -- since then the address is known to be theirs
  delivery_agreed_at timestamptz -- since then the person wants the answer to go to them
);

CREATE TABLE mandate (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  evidence text NOT NULL,
  document_sha256 text NOT NULL CHECK (document_sha256 ~ '^[0-9a-f]{64}$'),
  seen_on date NOT NULL,
  valid_until date,
  covers text[], -- none: every right
  voice text NOT NULL CHECK (voice IN ('decides', 'agrees', 'told')),
  delivery text NOT NULL CHECK (delivery IN ('subject', 'subject_may_allow', 'requester')),
  reference_sealed bytea,
  proposed_by text NOT NULL,
  proposed_at timestamptz NOT NULL,
  decision text CHECK (decision IN ('approved', 'refused')),
  reason text,
  decided_by text,
  decided_at timestamptz,
  CONSTRAINT a_decision_is_somebodys CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)),
  CONSTRAINT a_refusal_has_a_reason CHECK ((reason IS NOT NULL) = (decision IS NOT NULL AND decision = 'refused')),
  CONSTRAINT the_second_person_is_another CHECK (decided_by <> proposed_by),
  CONSTRAINT whoever_is_asked_is_answered CHECK ((delivery = 'requester') = (voice = 'told'))
);
CREATE INDEX ON mandate (request_id, decided_at);
CREATE UNIQUE INDEX one_undecided_mandate ON mandate (request_id) WHERE decision IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON requester, mandate TO dsar_app;
`

const DOWN = `
DROP TABLE mandate;
DROP TABLE requester;
`

export class Mandates1763901600000 implements MigrationInterface {
  name = 'Mandates1763901600000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
