import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * Services that are told what happens to requests they may read, and what they are still to be told. A delivery is written in the
 * transaction of what it tells, so it refers to its webhook by name alone: one that is removed at that moment must not undo it.
 */
const UP = `
CREATE TABLE webhook (
  id uuid PRIMARY KEY,
  owner text NOT NULL, -- the service that is told, and of whose requests
  url text NOT NULL,
  events text[] NOT NULL CHECK (cardinality(events) > 0),
  secrets_sealed bytea NOT NULL,
  both_until timestamptz, -- until then the secret before the current one signs as well
  state text NOT NULL CHECK (state IN ('active', 'disabled')),
  disabled_because text CHECK ((disabled_because IS NULL) = (state = 'active')),
  failing_since timestamptz,
  claimed_at timestamptz NOT NULL DEFAULT now(),
  version int NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE INDEX ON webhook (owner, id);

CREATE TABLE webhook_delivery (
  id uuid PRIMARY KEY, -- webhook-id of every attempt
  webhook_id uuid NOT NULL,
  request_id uuid NOT NULL,
  type text NOT NULL,
  data jsonb NOT NULL,
  occurred_at timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('queued', 'delivered', 'failed')),
  attempts int NOT NULL DEFAULT 0, -- ever, as a fencing token
  tries int NOT NULL DEFAULT 0, -- since it was queued
  due_at timestamptz NOT NULL,
  lease_until timestamptz,
  last_status int,
  problem text,
  settled_at timestamptz CHECK ((settled_at IS NULL) = (state = 'queued'))
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, due_at) WHERE state = 'queued';
CREATE INDEX ON webhook_delivery (webhook_id, occurred_at, id);
CREATE INDEX ON webhook_delivery (settled_at) WHERE settled_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook, webhook_delivery TO dsar_app;
`

const DOWN = 'DROP TABLE webhook_delivery, webhook;'

export class Webhooks1763902400000 implements MigrationInterface {
  name = 'Webhooks1763902400000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
