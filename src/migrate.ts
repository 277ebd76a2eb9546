import pg from 'pg'
import { DataSource } from 'typeorm'
import { Foundation1763800000000 } from '../migrations/0001-foundation.ts'
import { EveryRight1763900000000 } from '../migrations/0002-every-right.ts'
import { MarksAndHolds1763900300000 } from '../migrations/0003-marks-and-holds.ts'
import { DecisionsAndClockLedger1763900400000 } from '../migrations/0004-decisions-and-clock-ledger.ts'
import { Reports1763900500000 } from '../migrations/0005-reports.ts'
import { Messages1763900600000 } from '../migrations/0006-messages.ts'
import { PolicyVersions1763900700000 } from '../migrations/0007-policy-versions.ts'
import { TestClock1763900800000 } from '../migrations/0008-test-clock.ts'
import { Forwardings1763900900000 } from '../migrations/0009-forwardings.ts'
import { Restores1763901000000 } from '../migrations/0010-restores.ts'
import { Transmissions1763901100000 } from '../migrations/0011-transmissions.ts'
import { ForwardingAlarms1763901200000 } from '../migrations/0012-forwarding-alarms.ts'
import { Repudiations1763901300000 } from '../migrations/0013-repudiations.ts'
import { TokenUses1763901400000 } from '../migrations/0014-token-uses.ts'
import { LegalMinima1763901500000 } from '../migrations/0015-legal-minima.ts'
import { Mandates1763901600000 } from '../migrations/0016-mandates.ts'
import { Attachments1763901700000 } from '../migrations/0017-attachments.ts'
import { WhoMaySee1763901900000 } from '../migrations/0019-who-may-see.ts'
import { AdapterKinds1763902000000 } from '../migrations/0020-adapter-kinds.ts'
import { AdapterAdmission1763902100000 } from '../migrations/0021-adapter-admission.ts'
import { SealedAndCountersigned1763902200000 } from '../migrations/0022-sealed-and-countersigned.ts'
import { AdapterHealth1763902300000 } from '../migrations/0023-adapter-health.ts'
import { Webhooks1763902400000 } from '../migrations/0024-webhooks.ts'
import { HandedTasks1763902500000 } from '../migrations/0025-handed-tasks.ts'
import { ClaimsInOrder1763902600000 } from '../migrations/0026-claims-in-order.ts'
import { SaidByCallBack1763902700000 } from '../migrations/0027-said-by-call-back.ts'
import { ClaimsOfABacklog1763902800000 } from '../migrations/0028-claims-of-a-backlog.ts'
import { FairAmongOpeners1763989200000 } from '../migrations/0029-fair-among-openers.ts'
import { FoundAmongMany1764075600000 } from '../migrations/0030-found-among-many.ts'
import { JOB_NAMES } from './pipeline.ts'
import { installQueue } from './platform/queue.ts'

export const MIGRATIONS = [
  Foundation1763800000000,
  EveryRight1763900000000,
  MarksAndHolds1763900300000,
  DecisionsAndClockLedger1763900400000,
  Reports1763900500000,
  Messages1763900600000,
  PolicyVersions1763900700000,
  TestClock1763900800000,
  Forwardings1763900900000,
  Restores1763901000000,
  Transmissions1763901100000,
  ForwardingAlarms1763901200000,
  Repudiations1763901300000,
  TokenUses1763901400000,
  LegalMinima1763901500000,
  Mandates1763901600000,
  Attachments1763901700000,
  WhoMaySee1763901900000,
  AdapterKinds1763902000000,
  AdapterAdmission1763902100000,
  SealedAndCountersigned1763902200000,
  AdapterHealth1763902300000,
  Webhooks1763902400000,
  HandedTasks1763902500000,
  ClaimsInOrder1763902600000,
  SaidByCallBack1763902700000,
  ClaimsOfABacklog1763902800000,
  FairAmongOpeners1763989200000,
  FoundAmongMany1764075600000,
]

/** Any number that nothing else in the database uses as an advisory lock. */
const MIGRATION_LOCK = 7_264_001

/**
 * Brings the database to this version's shape: our tables, the queue's, and the rights of the role the service acts in.
 * Safe to start on several machines at once: one works, the others wait (TypeORM takes no lock of its own). Runs as the owner.
 */
export async function migrate({ databaseUrl }: { databaseUrl: string }): Promise<void> {
  const guard = new pg.Client({ connectionString: databaseUrl })
  await guard.connect()
  try {
    await guard.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
    const source = new DataSource({ type: 'postgres', url: databaseUrl, migrations: MIGRATIONS, installExtensions: false })
    await source.initialize()
    await source.runMigrations({ transaction: 'each' }).finally(() => source.destroy())
    await installQueue(databaseUrl, JOB_NAMES)
    await guard.query(`GRANT USAGE ON SCHEMA pgboss TO dsar_app;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgboss TO dsar_app;
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgboss TO dsar_app`)
  } finally {
    await guard.end()
  }
}
