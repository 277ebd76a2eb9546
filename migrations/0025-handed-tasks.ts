import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * Tasks that are not called out to an adapter but handed to it: services behind a firewall fetch them, people are told by mail. What they
 * answer lies sealed among the blobs until it is read as any other answer.
 */
const UP = `
CREATE TABLE handed_task (
  task_id uuid PRIMARY KEY REFERENCES task ON DELETE CASCADE,
  -- Under which id it was handed over last: asked anew by a person, it has another.
  leased_key uuid,
  leased_until timestamptz,
  mails int NOT NULL DEFAULT 0
);
CREATE TABLE delivered_answer (
  task_key uuid PRIMARY KEY,
  task_id uuid NOT NULL REFERENCES task ON DELETE CASCADE,
  media_type text NOT NULL,
  blob_key text NOT NULL,
  sha256 text NOT NULL,
  delivered_by text NOT NULL,
  delivered_at timestamptz NOT NULL,
  needs_second boolean NOT NULL,
  approved_by text,
  CONSTRAINT another_person_approves CHECK (approved_by <> delivered_by)
);
CREATE INDEX ON delivered_answer (blob_key);
CREATE TABLE lease_seen (
  adapter_id uuid NOT NULL REFERENCES adapter ON DELETE CASCADE,
  webhook_id text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (adapter_id, webhook_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON handed_task, delivered_answer, lease_seen TO dsar_app;
`

const DOWN = 'DROP TABLE handed_task, delivered_answer, lease_seen;'

export class HandedTasks1763902500000 implements MigrationInterface {
  name = 'HandedTasks1763902500000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
