import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * What an answered erasure still owes is one list: looking again, erasing what the law had kept, and erasing once more what a
 * backup brought back. Each is a round of tasks of its own, begun once and concluded on the record.
 */
const UP = `
CREATE TABLE restore (
  id uuid PRIMARY KEY,
  adapter_id uuid REFERENCES adapter, -- none: all of them
  restored_to timestamptz NOT NULL,
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL,
  concluded_at timestamptz
);
CREATE UNIQUE INDEX one_open_restore ON restore (restored_to, coalesce(adapter_id, '00000000-0000-0000-0000-000000000000')) WHERE concluded_at IS NULL;

ALTER TABLE rescan RENAME TO later_round;
ALTER INDEX rescan_pkey RENAME TO later_round_pkey;
ALTER INDEX rescan_due_at_idx RENAME TO later_round_due_at_idx;
ALTER TABLE later_round
  ADD COLUMN kind text NOT NULL DEFAULT 'rescan' CHECK (kind IN ('rescan', 'leftovers', 'replay')),
  ADD COLUMN restore_id uuid REFERENCES restore CHECK ((restore_id IS NOT NULL) = (kind = 'replay'));
ALTER TABLE later_round ALTER COLUMN kind DROP DEFAULT;
CREATE UNIQUE INDEX one_replay ON later_round (restore_id, request_id) WHERE restore_id IS NOT NULL;
CREATE INDEX task_erased ON task (finished_at) WHERE action = 'erase' AND state = 'done';

GRANT SELECT, INSERT, UPDATE, DELETE ON restore TO dsar_app;
GRANT DELETE ON message TO dsar_app; -- once nobody needs to know any more what who was erased had written
`

const DOWN = `
REVOKE DELETE ON message FROM dsar_app;
DROP INDEX task_erased, one_replay;
DELETE FROM later_round WHERE kind <> 'rescan';
ALTER TABLE later_round DROP COLUMN restore_id, DROP COLUMN kind;
ALTER TABLE later_round RENAME TO rescan;
ALTER INDEX later_round_pkey RENAME TO rescan_pkey;
ALTER INDEX later_round_due_at_idx RENAME TO rescan_due_at_idx;
DROP TABLE restore;
`

export class Restores1763901000000 implements MigrationInterface {
  name = 'Restores1763901000000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
