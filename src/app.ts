import { adapterRoutes } from './adapters/adapters.routes.ts'
import { CALL_LIMITS } from './adapters/call-limits.ts'
import { auditRoutes } from './audit/audit.routes.ts'
import { createRecorder } from './audit/record.ts'
import { underPseudonym } from './auth/pseudonym.ts'
import { rememberServices } from './auth/remember-services.ts'
import { createVerifier } from './auth/verify-token.ts'
import type { Config } from './config.ts'
import { writeAnnouncement } from './delivery/announcements.ts'
import { downloadRoutes } from './delivery/downloads.routes.ts'
import { handOver } from './delivery/hand-over.ts'
import { packageRoutes } from './delivery/packages.routes.ts'
import { sendLetter } from './delivery/send-letter.ts'
import { sendDigest } from './delivery/write-digest.ts'
import {
  acknowledge,
  tellOfficer,
  writeClosingLetter,
  writeCodeLetter,
  writeLetterToSubject,
  writeToEveryContact,
} from './delivery/write-letters.ts'
import { announce } from './fulfilment/announce.ts'
import { askWho } from './fulfilment/ask-who.ts'
import { callbackRoutes } from './fulfilment/callbacks.routes.ts'
import { concludeFulfilment } from './fulfilment/conclude-fulfilment.ts'
import { type Dispatcher, startDispatcher } from './fulfilment/dispatcher.ts'
import { concludeRound, lookAgain } from './fulfilment/look-again.ts'
import { runTask } from './fulfilment/run-task.ts'
import { startFulfilment } from './fulfilment/start-fulfilment.ts'
import { taskRoutes } from './fulfilment/tasks.routes.ts'
import { holdRoutes } from './holds/holds.routes.ts'
import { buildServer } from './http/server.ts'
import { countWork } from './operations/count-work.ts'
import { evidenceRoutes } from './operations/evidence.routes.ts'
import { noteGivenUp } from './operations/note-given-up.ts'
import { probeVault } from './operations/probe-vault.ts'
import { reportRoutes } from './operations/reports.routes.ts'
import { buildPackage } from './packaging/build-package.ts'
import { JOB_NAMES, type Jobs, LENGTHY, SCHEDULE } from './pipeline.ts'
import { type Clock, systemClock } from './platform/clock.ts'
import { openDatabase, type Tx } from './platform/database.ts'
import { createLog, type Log } from './platform/log.ts'
import { createMailer } from './platform/mailer.ts'
import { createMetrics } from './platform/metrics.ts'
import { openBlobStore } from './platform/open-blob-store.ts'
import { createOutbound } from './platform/outbound.ts'
import { type Handlers, openQueue } from './platform/queue.ts'
import { postgresRateLimits } from './platform/rate-limit.ts'
import { openVaultFile } from './platform/vault.ts'
import { assess } from './requests/assess.ts'
import { clockLedgerRoutes } from './requests/clock-ledger.routes.ts'
import { dataKeyOf, newDataKeyFor } from './requests/data-key.ts'
import { deadlineRoutes } from './requests/deadlines.routes.ts'
import { decisionRoutes } from './requests/decisions.routes.ts'
import { endCoolingOff } from './requests/end-cooling-off.ts'
import { heldBy } from './requests/held.ts'
import { historyRoutes } from './requests/history.routes.ts'
import { requestRoutes } from './requests/requests.routes.ts'
import { RequestTable } from './requests/requests.table.ts'
import { subjectRoutes } from './requests/subjects.routes.ts'
import { watchDeadlines } from './requests/watch-deadlines.ts'
import { closeCase } from './retention/close-case.ts'
import { forgetExpired } from './retention/forget-expired.ts'
import { sendCodeAgain } from './verification/send-code-again.ts'
import { verificationRoutes } from './verification/verification.routes.ts'
import { weighIdentity } from './verification/weigh-identity.ts'

type Server = Awaited<ReturnType<typeof buildServer>>

export interface App {
  server: Server
  log: Log
  /** Makes this process one of the workers. */
  startWorking(): Promise<void>
  /** Runs what runs by the clock once, now: for operators in a hurry, and for tests. */
  handlers: Handlers<Jobs>
  /** Has its effect once, however often it is called. */
  close(): Promise<void>
}

const VERSION = '0.1.0'

/** Joins everything by hand, top to bottom. Nothing listens and nobody works until told to. */
export async function createApp(
  config: Config,
  { clock = systemClock, log = createLog({ level: config.logLevel }) }: { clock?: Clock; log?: Log } = {},
): Promise<App> {
  const deps = await openDeps(config, clock, log)
  const server = await buildServer({
    ...deps,
    quota: { perCaller: config.perCallerQuota, perAddress: config.perAddressQuota, everyUse: config.everyUseQuota },
    trustProxy: config.trustProxy,
    version: VERSION,
    plugins: [
      requestRoutes,
      subjectRoutes,
      holdRoutes,
      historyRoutes,
      decisionRoutes,
      clockLedgerRoutes,
      verificationRoutes,
      taskRoutes,
      packageRoutes,
      downloadRoutes,
      adapterRoutes,
      callbackRoutes,
      deadlineRoutes,
      auditRoutes,
      reportRoutes,
      evidenceRoutes,
    ].map(routes => routes(deps)),
  })
  let dispatcher: Dispatcher | undefined
  let closed: Promise<void> | undefined
  const handlers = handlersOf(deps, () => dispatcher?.wake())
  return {
    server,
    log,
    handlers,
    async startWorking() {
      dispatcher = startDispatcher(
        { transact: deps.transact, clock: deps.clock, run: (task, signal) => runTask(deps, task, signal), onError: deps.onError },
        { slots: config.taskSlots },
      )
      await deps.queue.work(handlers, {
        schedule: SCHEDULE,
        concurrency: name => (LENGTHY.has(name) ? config.jobConcurrency : 1),
        onGivenUp: async (job, data) => {
          log.error({ job }, 'a job failed for the last time')
          await noteGivenUp(deps, job, data)
        },
        onFailure: (job, error) => {
          deps.counts.jobFailed(job)
          log.warn({ job, err: error }, 'a job failed and will be tried again')
        },
      })
    },
    close: () => {
      closed ??= closeAll(deps, server, dispatcher)
      return closed
    },
  }
}

/** Outside in: no new calls, no new tasks, no new jobs; then the doors to the outside, and the database last. */
async function closeAll(deps: Deps, server: Server, dispatcher: Dispatcher | undefined): Promise<void> {
  await closeServer(server)
  await dispatcher?.stop()
  await deps.queue.stop()
  deps.mailer.close()
  await deps.outbound.close()
  await deps.database.close()
}

/** What is being answered gets a moment more; a download that takes longer is taken up again elsewhere, where it broke off. */
async function closeServer(server: Server): Promise<void> {
  const cut = setTimeout(() => server.server.closeAllConnections(), 5000)
  await server.close().finally(() => clearTimeout(cut))
}

type Deps = Awaited<ReturnType<typeof openDeps>>

async function openDeps(config: Config, clock: Clock, log: Log) {
  const onError = (error: unknown) => log.error({ err: error }, 'something failed in the background')
  const { vault } = openVaultFile(config.vaultKeyFile, { allowOpenToOthers: config.allowOpenVaultFile })
  const { databaseUrl: url, databaseRole } = config
  const role = databaseRole ? { role: databaseRole } : {}
  const database = await openDatabase({ url, ...role, tables: [RequestTable], poolSize: config.databasePool, onError })
  await probeVault(database.read, vault).catch(async error => {
    await database.close()
    throw error
  })
  const queue = await openQueue<Jobs>({ url, ...role, names: JOB_NAMES, onError }).catch(async error => {
    await database.close()
    throw error
  })
  const metrics = createMetrics({ ofProcess: true })
  const counts = countWork(metrics, database.read)
  const record = createRecorder({ clock, sign: bytes => vault.sign(bytes) })
  const letters = {
    vault,
    clock,
    enqueue: queue.enqueue,
    mailHost: new URL(config.publicUrl).hostname,
    officer: config.privacyOfficer,
  }
  return {
    ...config,
    ...letters,
    ...database,
    database,
    queue,
    log,
    record,
    metrics,
    counts,
    onError,
    blobs: openBlobStore(config.blobStoreUrl),
    mailer: createMailer({ url: config.smtpUrl, from: config.mailFrom }),
    outbound: createOutbound({ allowedHosts: config.adapterAllowedHosts }),
    verifier: rememberServices(underPseudonym(createVerifier({ issuers: config.issuers, clock }), vault), clock),
    rateLimits: postgresRateLimits(database.read),
    ready: async () => ({ checks: { database: await answers(database.read.query('SELECT 1 FROM dsar_request LIMIT 1')) } }),
    random: Math.random,
    callLimits: CALL_LIMITS,
    publicKeys: () => vault.publicKeys(),
    checkSignature: (keyId: string, bytes: Buffer, signature: Buffer) =>
      vault.verify(bytes, { keyId, algorithm: 'Ed25519', signature }),
    newDataKey: (requestId: string) => newDataKeyFor({ vault }, requestId),
    keyOf: (read: typeof database.read, requestId: string) => dataKeyOf({ vault }, read, requestId),
    writeCodeLetter: bind(writeCodeLetter, letters),
    writeLetterToSubject: bind(writeLetterToSubject, letters),
    writeToEveryContact: bind(writeToEveryContact, letters),
    tellOfficer: bind(tellOfficer, letters),
    heldBy: (tx: Tx, requestId: string) => heldBy({ vault, clock }, tx, requestId),
    writeAnnouncement: bind(writeAnnouncement, letters),
    onAlarm: counts.alarm,
    onAnswer: counts.answer,
    onLetter: counts.letter,
    onCodeRefused: counts.codeRefused,
  }
}

/** Who does each job. */
const handlersOf = (deps: Deps, wake: () => void): Handlers<Jobs> => ({
  'ask-who': ({ requestId }) => askWho(deps, requestId),
  'weigh-identity': ({ requestId }) => weighIdentity(deps, requestId),
  'send-code': ({ requestId }) => sendCodeAgain(deps, requestId),
  acknowledge: ({ requestId }) => acknowledge(deps, requestId),
  assess: ({ requestId }) => deps.transact(tx => assess(deps, tx, requestId)),
  announce: ({ requestId }) => announce(deps, requestId),
  'end-cooling-off': () => endCoolingOff(deps),
  'start-fulfilment': ({ requestId }) => startFulfilment(deps, requestId),
  'dispatch-tasks': async () => wake(),
  'conclude-fulfilment': ({ requestId }) => concludeFulfilment(deps, requestId),
  'build-package': ({ requestId }) => buildPackage(deps, requestId),
  'hand-over': ({ requestId }) => handOver(deps, requestId),
  'look-again': () => lookAgain(deps),
  'conclude-round': ({ requestId }) => concludeRound(deps, requestId),
  'close-case': async ({ requestId }) => {
    await writeClosingLetter(deps, requestId)
    await closeCase(deps, requestId)
  },
  'send-letter': ({ letterId }) => sendLetter(deps, letterId),
  'send-digest': () => sendDigest(deps),
  'watch-deadlines': () => watchDeadlines(deps),
  'forget-expired': () => forgetExpired(deps),
})

const bind =
  <D, A extends unknown[], R>(use: (deps: D, ...rest: A) => R, deps: D) =>
  (...rest: A): R =>
    use(deps, ...rest)

const answers = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => true,
    () => false,
  )
