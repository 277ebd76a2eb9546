import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * What of a request is for other controllers to answer: to each of them it is forwarded once, and from that day on runs a clock that is
 * not ours.
 */
const UP = `
CREATE TABLE forwarding (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  controller text NOT NULL,
  contact text NOT NULL,
  client text NOT NULL,
  datasets jsonb NOT NULL CHECK (jsonb_array_length(datasets) > 0),
  forwarded_at timestamptz NOT NULL,
  due_on date NOT NULL,
  acknowledged_at timestamptz CHECK (acknowledged_at >= forwarded_at),
  UNIQUE (request_id, controller)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON forwarding TO dsar_app;
`

const DOWN = 'DROP TABLE forwarding;'

export class Forwardings1763900900000 implements MigrationInterface {
  name = 'Forwardings1763900900000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
