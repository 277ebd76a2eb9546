import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Whether another controller has answered what was forwarded to it, and what was raised because it seemed not to: each once. */
const UP = `
ALTER TABLE forwarding ADD COLUMN answered_at timestamptz CHECK (answered_at >= acknowledged_at);
ALTER TABLE forwarding ADD CHECK (answered_at IS NULL OR acknowledged_at IS NOT NULL);
CREATE INDEX forwarding_open ON forwarding (due_on) WHERE answered_at IS NULL;
CREATE TABLE forwarding_alarm (
  forwarding_id uuid NOT NULL REFERENCES forwarding ON DELETE CASCADE,
  alarm text NOT NULL CHECK (alarm IN ('unacknowledged', 'late')),
  raised_at timestamptz NOT NULL,
  PRIMARY KEY (forwarding_id, alarm)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON forwarding_alarm TO dsar_app;
`

const DOWN = `
DROP TABLE forwarding_alarm;
ALTER TABLE forwarding DROP COLUMN answered_at;
`

export class ForwardingAlarms1763901200000 implements MigrationInterface {
  name = 'ForwardingAlarms1763901200000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
