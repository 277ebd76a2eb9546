import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * Everything that the first release stores. Columns named `*_sealed` hold personal data, encrypted by the vault before they
 * get here; `*_index` and `*_mac` hold keyed hashes. `audit_entry` can only ever grow, whoever asks.
 */
const UP = `
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'dsar_app') THEN CREATE ROLE dsar_app NOLOGIN; END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN EXECUTE format('GRANT dsar_app TO %I', current_user); END $$;

CREATE TABLE dsar_request (
  id uuid PRIMARY KEY,
  "right" text NOT NULL,
  state text NOT NULL,
  flags text[] NOT NULL DEFAULT '{}',
  version int NOT NULL DEFAULT 1,
  received_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  due_on date NOT NULL,
  legal_due_on date NOT NULL,
  country text,
  region text,
  locale text NOT NULL,
  time_zone text NOT NULL,
  channel text NOT NULL,
  reference_sealed bytea,
  reference_index bytea,
  relationship text NOT NULL,
  opened_by_kind text NOT NULL,
  opened_by text NOT NULL,
  scope jsonb NOT NULL DEFAULT '{}',
  assurance_needed int NOT NULL,
  assurance int NOT NULL DEFAULT 0,
  policy_version text NOT NULL,
  name_sealed bytea,
  completeness jsonb,
  closed_at timestamptz
);
CREATE INDEX ON dsar_request (due_on, id) WHERE closed_at IS NULL;
CREATE INDEX ON dsar_request (state, id);
CREATE INDEX ON dsar_request USING gin (flags) WHERE flags <> '{}';
CREATE INDEX ON dsar_request (opened_by, id);
CREATE INDEX ON dsar_request (reference_index) WHERE reference_index IS NOT NULL;

CREATE TABLE request_identity (
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  type text NOT NULL,
  value_index bytea NOT NULL,
  value_sealed bytea NOT NULL,
  provenance text NOT NULL,
  given boolean NOT NULL DEFAULT true,
  PRIMARY KEY (request_id, type, value_index)
);
CREATE INDEX ON request_identity (value_index, request_id);

CREATE TABLE contact_point (
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  n int NOT NULL,
  type text NOT NULL,
  value_sealed bytea NOT NULL,
  source text NOT NULL,
  since timestamptz,
  PRIMARY KEY (request_id, n)
);

CREATE TABLE request_key (
  request_id uuid PRIMARY KEY REFERENCES dsar_request ON DELETE CASCADE,
  wrapped bytea NOT NULL
);

CREATE TABLE challenge (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  purpose text NOT NULL,
  contact_index bytea NOT NULL,
  code_mac bytea NOT NULL,
  tries int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX ON challenge (request_id, purpose, created_at);
CREATE INDEX ON challenge (contact_index, created_at);

CREATE TABLE proof (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  method text NOT NULL,
  level int NOT NULL,
  proven_at timestamptz NOT NULL,
  by_kind text NOT NULL,
  by_id text NOT NULL
);
CREATE INDEX ON proof (request_id);

CREATE TABLE adapter (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  title text NOT NULL,
  base_url text NOT NULL,
  secrets_sealed bytea NOT NULL,
  state text NOT NULL,
  manifest jsonb NOT NULL,
  concurrency int NOT NULL,
  per_minute int NOT NULL,
  allowance double precision NOT NULL DEFAULT 0,
  allowance_at timestamptz NOT NULL,
  version int NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX adapter_name ON adapter (name) WHERE state <> 'removed';

CREATE TABLE task (
  id uuid PRIMARY KEY,
  key uuid NOT NULL DEFAULT gen_random_uuid(),
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  adapter_id uuid NOT NULL REFERENCES adapter,
  adapter text NOT NULL,
  action text NOT NULL,
  state text NOT NULL,
  after_task uuid REFERENCES task,
  asked boolean NOT NULL DEFAULT true,
  config jsonb NOT NULL,
  due_at timestamptz NOT NULL,
  run_at timestamptz NOT NULL,
  attempt int NOT NULL DEFAULT 0,
  failures int NOT NULL DEFAULT 0,
  lost int NOT NULL DEFAULT 0,
  lease_until timestamptz,
  location text,
  answer jsonb,
  problem jsonb,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  finished_at timestamptz,
  UNIQUE (request_id, adapter_id, action)
);
CREATE INDEX task_claimable ON task (adapter_id, due_at) WHERE state IN ('ready', 'accepted', 'running');
CREATE INDEX ON task (after_task) WHERE after_task IS NOT NULL;

CREATE TABLE callback_seen (
  webhook_id text NOT NULL,
  task_id uuid NOT NULL REFERENCES task ON DELETE CASCADE,
  body_hash bytea NOT NULL,
  attempt int NOT NULL DEFAULT 0,
  at timestamptz NOT NULL,
  PRIMARY KEY (task_id, webhook_id)
);

CREATE TABLE part (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  task_id uuid NOT NULL REFERENCES task ON DELETE CASCADE,
  dataset text NOT NULL,
  kind text NOT NULL,
  number int NOT NULL,
  media_type text NOT NULL,
  original_name_sealed bytea,
  bytes bigint NOT NULL,
  sha256 text NOT NULL,
  incompressible boolean NOT NULL,
  blob_key text NOT NULL,
  inline_sealed bytea
);
CREATE INDEX ON part (request_id);
CREATE INDEX ON part (task_id);

CREATE TABLE sealed_package (
  request_id uuid PRIMARY KEY REFERENCES dsar_request ON DELETE CASCADE,
  blob_key text NOT NULL,
  bytes bigint NOT NULL,
  sealed_bytes bigint NOT NULL,
  sha256 text NOT NULL,
  entries int NOT NULL,
  manifest_sha256 text NOT NULL,
  sealed_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  destroyed_at timestamptz
);
CREATE INDEX ON sealed_package (expires_at) WHERE destroyed_at IS NULL;

CREATE TABLE link (
  id uuid PRIMARY KEY,
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  token_mac bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  uses_left int NOT NULL,
  revoked_at timestamptz
);
CREATE UNIQUE INDEX one_live_link ON link (request_id) WHERE revoked_at IS NULL;

CREATE TABLE download_grant (
  id uuid PRIMARY KEY,
  link_id uuid NOT NULL REFERENCES link ON DELETE CASCADE,
  token_mac bytea NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL
);

CREATE TABLE letter (
  id uuid PRIMARY KEY,
  request_id uuid REFERENCES dsar_request ON DELETE CASCADE,
  kind text NOT NULL,
  dedupe text NOT NULL UNIQUE,
  message_id text NOT NULL UNIQUE,
  recipient_sealed bytea,
  values_sealed bytea,
  state text NOT NULL,
  attempts int NOT NULL DEFAULT 0,
  problem text,
  created_at timestamptz NOT NULL,
  sent_at timestamptz
);
CREATE INDEX ON letter (request_id);

CREATE TABLE deadline_alarm (
  request_id uuid NOT NULL REFERENCES dsar_request ON DELETE CASCADE,
  level text NOT NULL,
  raised_at timestamptz NOT NULL,
  PRIMARY KEY (request_id, level)
);

CREATE TABLE audit_entry (
  stream text NOT NULL,
  seq int NOT NULL,
  at timestamptz(3) NOT NULL, -- what is hashed has milliseconds: a change of anything finer would go unseen
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  event text NOT NULL,
  facts jsonb NOT NULL,
  previous bytea NOT NULL,
  hash bytea NOT NULL,
  key_id text NOT NULL,
  signature bytea NOT NULL,
  PRIMARY KEY (stream, seq)
);
CREATE INDEX ON audit_entry (at, stream, seq);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit_entry is append-only' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- The newest entry of a stream, which the transaction has to itself from here on. Two statements in one call: the second sees
-- what was written until the first had the lock.
CREATE FUNCTION audit_head(the_stream text) RETURNS TABLE (seq int, hash bytea) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(the_stream, 5));
  RETURN QUERY SELECT e.seq, e.hash FROM audit_entry e WHERE e.stream = the_stream ORDER BY e.seq DESC LIMIT 1;
END $$;

CREATE TABLE idempotency_key (
  scope text NOT NULL,
  key text NOT NULL,
  body_hash bytea NOT NULL,
  answer bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (scope, key)
);
CREATE INDEX ON idempotency_key (created_at);

CREATE TABLE vault_probe (
  id int PRIMARY KEY CHECK (id = 1),
  sealed bytea NOT NULL
);

CREATE UNLOGGED TABLE rate_limit (
  key text PRIMARY KEY,
  count int NOT NULL,
  resets_at timestamptz NOT NULL
);

GRANT USAGE ON SCHEMA public TO dsar_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO dsar_app;
REVOKE UPDATE, DELETE ON audit_entry FROM dsar_app;
`

const DOWN = `
DROP TABLE rate_limit, vault_probe, idempotency_key, audit_entry, deadline_alarm, letter, download_grant, link, sealed_package, part,
  callback_seen, task, adapter, proof, challenge, request_key, contact_point, request_identity, dsar_request;
DROP FUNCTION audit_is_append_only(), audit_head(text);
`

export class Foundation1763800000000 implements MigrationInterface {
  name = 'Foundation1763800000000'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(DOWN)
  }
}
