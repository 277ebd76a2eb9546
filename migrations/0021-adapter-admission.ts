import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * An adapter is asked nothing about anybody before it has passed the conformance check and a second person has let it in; who was
 * already asked goes on being asked. Each check is kept with what it found.
 */
const UP = `
-- Grows when its address or a secret changes: what was checked and approved before is another's.
ALTER TABLE adapter ADD COLUMN contact_version int NOT NULL DEFAULT 1;
ALTER TABLE adapter ADD COLUMN contact_by text NOT NULL DEFAULT '';
ALTER TABLE adapter ADD COLUMN approved_version int;
ALTER TABLE adapter ADD COLUMN approved_by text;
ALTER TABLE adapter ADD COLUMN live_since timestamptz;
UPDATE adapter SET approved_version = 1, live_since = created_at;
UPDATE adapter SET state = 'live' WHERE state = 'active';
ALTER TABLE adapter ADD CONSTRAINT live_once_approved CHECK (state <> 'live' OR live_since IS NOT NULL);

CREATE TABLE adapter_check (
  adapter_id uuid NOT NULL REFERENCES adapter ON DELETE CASCADE,
  n int NOT NULL,
  contact_version int NOT NULL,
  passed boolean NOT NULL,
  report jsonb NOT NULL,
  checked_by text NOT NULL,
  checked_at timestamptz NOT NULL,
  PRIMARY KEY (adapter_id, n)
);
GRANT SELECT, INSERT ON adapter_check TO dsar_app;
`

const DOWN = `
DROP TABLE adapter_check;
ALTER TABLE adapter DROP CONSTRAINT live_once_approved;
UPDATE adapter SET state = 'active' WHERE state IN ('live', 'trial');
ALTER TABLE adapter DROP COLUMN contact_version, DROP COLUMN contact_by, DROP COLUMN approved_version, DROP COLUMN approved_by,
  DROP COLUMN live_since;
`

export class AdapterAdmission1763902100000 implements MigrationInterface {
  name = 'AdapterAdmission1763902100000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
