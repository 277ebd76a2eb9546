import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * What was decided on a request, and what bears on its clocks. The table itself refuses a refusal that does not say why, where to
 * complain and that there are courts (GDPR Art. 12(4)), and one that calls a person a nuisance without evidence or on one
 * officer's word (Art. 12(5)). Alarms remember the day that they were raised for: a day that was moved has alarms of its own.
 */
const UP = `
CREATE TABLE decision (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('approve', 'refuse', 'refuse_partly', 'fee_notice')),
  state text NOT NULL CHECK (state IN ('proposed', 'effective', 'superseded')),
  ground text,
  citation text,
  parts jsonb,
  fee jsonb,
  remedies jsonb,
  reasons_sealed bytea,
  evidence_sealed bytea,
  policy_version text NOT NULL,
  decided_by text NOT NULL,
  decided_at timestamptz NOT NULL,
  approved_by text,
  approved_at timestamptz,
  CONSTRAINT a_refusal_has_its_legal_minimum CHECK (kind NOT IN ('refuse', 'refuse_partly') OR (
    ground IS NOT NULL AND reasons_sealed IS NOT NULL
    AND coalesce(remedies #>> '{complaint,authority}', '') <> '' AND coalesce(remedies #>> '{complaint,url}', '') <> ''
    AND coalesce(remedies #>> '{judicial,law}', '') <> '')),
  CONSTRAINT a_partial_refusal_names_its_parts CHECK ((kind = 'refuse_partly') = (parts IS NOT NULL)),
  CONSTRAINT a_fee_is_told_with_its_reasons CHECK ((kind = 'fee_notice') = (fee IS NOT NULL)
    AND (fee IS NULL OR (reasons_sealed IS NOT NULL AND ground IN ('manifestly_unfounded', 'manifestly_excessive')))),
  CONSTRAINT unfounded_or_excessive_is_shown CHECK (ground NOT IN ('manifestly_unfounded', 'manifestly_excessive')
    OR evidence_sealed IS NOT NULL),
  CONSTRAINT unfounded_or_excessive_is_not_one_persons_word CHECK (ground NOT IN ('manifestly_unfounded', 'manifestly_excessive')
    OR state <> 'effective' OR approved_by IS NOT NULL),
  CONSTRAINT the_second_person_is_another CHECK (approved_by <> decided_by),
  CONSTRAINT a_national_restriction_is_cited CHECK (ground <> 'member_state_restriction' OR coalesce(citation, '') <> '')
);
CREATE INDEX ON decision (request_id, decided_at);
CREATE UNIQUE INDEX one_proposal ON decision (request_id) WHERE state = 'proposed';

-- A pause without a day is proposed, not asked: it stops nothing.
CREATE TABLE clock_entry (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('pause', 'extension', 'chaser')),
  reason text CHECK ((reason IS NULL) = (kind = 'chaser')),
  text_sealed bytea CHECK (text_sealed IS NOT NULL OR kind = 'chaser'),
  on_day date CHECK (on_day IS NOT NULL OR kind = 'pause'),
  until_day date CHECK (until_day IS NULL OR (kind = 'pause' AND on_day <= until_day)),
  created_by text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX ON clock_entry (request_id, created_at);
CREATE UNIQUE INDEX one_extension ON clock_entry (request_id) WHERE kind = 'extension';
CREATE UNIQUE INDEX one_pause_at_a_time ON clock_entry (request_id, reason) WHERE kind = 'pause' AND until_day IS NULL;

ALTER TABLE deadline_alarm ADD COLUMN due_on date;
UPDATE deadline_alarm a SET due_on = least(r.due_on, r.legal_due_on) FROM dsar_request r WHERE r.id = a.request_id;
ALTER TABLE deadline_alarm ALTER COLUMN due_on SET NOT NULL, DROP CONSTRAINT deadline_alarm_pkey,
  ADD PRIMARY KEY (request_id, due_on, level);

GRANT SELECT, INSERT, UPDATE, DELETE ON decision, clock_entry TO dsar_app;
`

const DOWN = `
DELETE FROM deadline_alarm a USING deadline_alarm b
  WHERE a.request_id = b.request_id AND a.level = b.level AND a.due_on > b.due_on;
ALTER TABLE deadline_alarm DROP CONSTRAINT deadline_alarm_pkey, DROP COLUMN due_on, ADD PRIMARY KEY (request_id, level);
DROP TABLE clock_entry, decision;
`

export class DecisionsAndClockLedger1763900400000 implements MigrationInterface {
  name = 'DecisionsAndClockLedger1763900400000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
