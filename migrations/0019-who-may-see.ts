import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * Who of the staff may see what: how many cases each opened lately, whose cases are for officers alone, which contents were opened to
 * whom, and what two agents found out of who somebody is. Of people only keyed hashes are kept, of what was said only that it was.
 */
const UP = `
-- The cases that somebody of the staff opened within a day, each with the moment (ms). One row each, so that counting is one locked update.
CREATE TABLE viewing_budget (
  viewer text PRIMARY KEY,
  cases jsonb NOT NULL,
  last_at timestamptz NOT NULL,
  alarmed_on date
);

CREATE TABLE staff_member (value_index bytea PRIMARY KEY);

CREATE TABLE vip (
  id uuid PRIMARY KEY,
  reference text NOT NULL,
  listed_by text NOT NULL,
  listed_at timestamptz NOT NULL,
  removal_proposed_by text
);
CREATE TABLE vip_identity (
  vip_id uuid NOT NULL REFERENCES vip ON DELETE CASCADE,
  value_index bytea NOT NULL,
  PRIMARY KEY (value_index, vip_id)
);

CREATE TABLE support_check (
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  n int NOT NULL,
  state text NOT NULL CHECK (state IN ('proposed', 'agreed', 'rejected')),
  facts text[] NOT NULL CHECK (cardinality(facts) >= 2), -- a document alone never suffices
  document_seen text,
  checked_by text NOT NULL,
  checked_at timestamptz NOT NULL,
  second_by text,
  second_at timestamptz,
  PRIMARY KEY (request_id, n),
  CONSTRAINT two_people_agree CHECK (state <> 'agreed' OR (second_by IS NOT NULL AND second_by <> checked_by))
);

CREATE TABLE break_glass (
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  n int NOT NULL,
  reason text NOT NULL,
  what text[] NOT NULL,
  role text NOT NULL,
  text_sealed bytea, -- none once the person is forgotten
  opened_by text NOT NULL,
  opened_at timestamptz NOT NULL,
  approved_by text,
  approved_at timestamptz,
  expires_at timestamptz,
  PRIMARY KEY (request_id, n),
  CONSTRAINT another_person_opens CHECK (approved_by <> opened_by),
  CONSTRAINT open_once_approved CHECK ((approved_by IS NULL) = (expires_at IS NULL) AND (approved_by IS NULL) = (approved_at IS NULL))
);
CREATE INDEX ON break_glass (approved_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON viewing_budget, staff_member, vip, vip_identity, support_check, break_glass TO dsar_app;
`

const DOWN = 'DROP TABLE viewing_budget, staff_member, vip_identity, vip, support_check, break_glass;'

export class WhoMaySee1763901900000 implements MigrationInterface {
  name = 'WhoMaySee1763901900000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
