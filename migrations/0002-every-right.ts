import type { MigrationInterface, QueryRunner } from 'typeorm'

// What the rights beyond a copy of data need: their particulars, time to cool off, actions that wait for several others and are
// done again later, and what remains after an erasure.
const UP = `
ALTER TABLE dsar_request
  ADD COLUMN details_sealed bytea,
  ADD COLUMN cools_off_at timestamptz, -- until then it can be withdrawn; from then on it is carried out
  ADD COLUMN parent_id uuid REFERENCES dsar_request; -- the request that this one lifts, replays or goes on with
CREATE INDEX ON dsar_request (cools_off_at) WHERE state = 'cooling_off';
CREATE INDEX ON dsar_request (parent_id) WHERE parent_id IS NOT NULL;

DROP INDEX task_after_task_idx;
ALTER TABLE task
  ADD COLUMN after uuid[] NOT NULL DEFAULT '{}', -- the tasks that have to be done before it
  ADD COLUMN round int NOT NULL DEFAULT 0, -- 0 for the answer itself; what comes back later is asked again in further rounds
  DROP COLUMN after_task,
  DROP CONSTRAINT task_request_id_adapter_id_action_key,
  ADD UNIQUE (request_id, adapter_id, action, round);
CREATE INDEX task_waiting ON task (request_id) WHERE state = 'waiting';

-- Looking again, days after an erasure, whether the data stayed away (a backup that was restored, an import that was repeated).
CREATE TABLE rescan (
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  round int NOT NULL,
  due_at timestamptz NOT NULL,
  started_at timestamptz,
  concluded_at timestamptz,
  found int,
  PRIMARY KEY (request_id, round)
);
CREATE INDEX ON rescan (due_at) WHERE started_at IS NULL;

-- What an erasure had to leave, until its day comes (Art. 17(3)).
CREATE TABLE leftover (
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  adapter_id uuid NOT NULL REFERENCES adapter,
  adapter text NOT NULL,
  dataset text NOT NULL,
  count int NOT NULL,
  reason text NOT NULL,
  statute text,
  until date NOT NULL,
  round int, -- of the tasks that erase it
  erased_at timestamptz,
  PRIMARY KEY (request_id, adapter_id, dataset)
);
CREATE INDEX ON leftover (until) WHERE round IS NULL;

-- Whom it was told, that data were corrected, erased or restricted (Art. 19), and whom it could not be.
CREATE TABLE recipient_notice (
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  recipient text NOT NULL,
  action text NOT NULL,
  state text NOT NULL, -- queued, sent, acknowledged, failed, impossible, disproportionate
  why text, -- a code, for what could not be done
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (request_id, recipient, action)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON rescan, leftover, recipient_notice TO dsar_app;
`

const DOWN = `
DROP TABLE recipient_notice, leftover, rescan;
DROP INDEX task_waiting;
DELETE FROM task WHERE round > 0;
ALTER TABLE task DROP COLUMN round, DROP COLUMN after, ADD COLUMN after_task uuid REFERENCES task, ADD UNIQUE (request_id, adapter_id, action);
CREATE INDEX ON task (after_task) WHERE after_task IS NOT NULL;
ALTER TABLE dsar_request DROP COLUMN parent_id, DROP COLUMN cools_off_at, DROP COLUMN details_sealed;
`

export class EveryRight1763900000000 implements MigrationInterface {
  name = 'EveryRight1763900000000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
