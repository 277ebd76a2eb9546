import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * What the law and two pairs of eyes demand, where no code can leave it out: a hold lasts only when another person than its
 * proposer approved it, and ends only when two released it; a decision has a ground that there is, a part that is refused is
 * named, a fee has an amount, and time is taken for a reason that the law knows.
 */
const UP = `
ALTER TABLE legal_hold
  ADD CONSTRAINT a_hold_is_not_one_persons_word CHECK (approved_by <> proposed_by AND (approved_by IS NULL) = (approved_at IS NULL)),
  ADD CONSTRAINT one_person_holds_for_72_hours CHECK (approved_at IS NOT NULL OR holds_until <= proposed_at + interval '72 hours'),
  ADD CONSTRAINT a_release_is_not_one_persons_word CHECK (released_by <> release_proposed_by AND (released_by IS NULL) = (released_at IS NULL)
    AND (released_at IS NULL OR (release_proposed_by IS NOT NULL AND release_reason IS NOT NULL))),
  ADD CONSTRAINT an_approved_hold_lasts_until_its_release CHECK (approved_at IS NULL OR holds_until = coalesce(released_at, 'infinity'));

ALTER TABLE decision
  ADD CONSTRAINT a_ground_is_one_that_there_is CHECK (ground IN ('manifestly_unfounded', 'manifestly_excessive', 'cannot_identify',
    '17_3_a', '17_3_b', '17_3_c', '17_3_d', '17_3_e', 'rights_of_others', 'compelling_grounds', 'member_state_restriction', 'not_a_right_under_law')),
  ADD CONSTRAINT rights_of_others_never_refuse_all CHECK (ground <> 'rights_of_others' OR kind = 'refuse_partly'),
  ADD CONSTRAINT parts_are_named CHECK (parts <> '{}'),
  ADD CONSTRAINT a_fee_has_an_amount CHECK (fee IS NULL OR (coalesce(fee ->> 'amount', '') <> '' AND coalesce(fee ->> 'currency', '') <> ''));

ALTER TABLE clock_entry ADD CONSTRAINT time_is_taken_for_a_reason CHECK (CASE kind
  WHEN 'extension' THEN reason IN ('volume_of_data', 'scattered_sources', 'redaction_needed', 'intelligibility_work', 'many_requests_same_person', 'exceptional_surge')
  WHEN 'pause' THEN reason IN ('clarification', 'identity', 'fee') ELSE true END);
`

const DOWN = `
ALTER TABLE clock_entry DROP CONSTRAINT time_is_taken_for_a_reason;
ALTER TABLE decision DROP CONSTRAINT a_ground_is_one_that_there_is, DROP CONSTRAINT rights_of_others_never_refuse_all,
  DROP CONSTRAINT parts_are_named, DROP CONSTRAINT a_fee_has_an_amount;
ALTER TABLE legal_hold DROP CONSTRAINT a_hold_is_not_one_persons_word, DROP CONSTRAINT one_person_holds_for_72_hours,
  DROP CONSTRAINT a_release_is_not_one_persons_word, DROP CONSTRAINT an_approved_hold_lasts_until_its_release;
`

export class LegalMinima1763901500000 implements MigrationInterface {
  name = 'LegalMinima1763901500000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
