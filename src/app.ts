import { adapterRoutes } from './adapters/adapters.routes.ts'
import { CALL_LIMITS } from './adapters/call-limits.ts'
import { suspensionRoutes } from './adapters/suspension.routes.ts'
import { auditRoutes } from './audit/audit.routes.ts'
import { workRoutes } from './auth/work.routes.ts'
import type { Config } from './config.ts'
import { admissionRoutes } from './conformance/admission.routes.ts'
import { clockLedgerRoutes } from './decisions/clock-ledger.routes.ts'
import { decisionRoutes } from './decisions/decisions.routes.ts'
import { downloadRoutes } from './delivery/downloads.routes.ts'
import { letterRoutes } from './delivery/letters.routes.ts'
import { openPackageRoutes } from './delivery/open-package.routes.ts'
import { openedPackageRoutes } from './delivery/opened-package.routes.ts'
import { optOutRoutes } from './delivery/opt-outs.routes.ts'
import { packageRoutes } from './delivery/packages.routes.ts'
import { revokeMandateRoutes } from './delivery/revoke-mandate.routes.ts'
import { tellOtherwiseRoutes } from './delivery/tell-otherwise.routes.ts'
import { type Deps, type Given, openDeps } from './deps.ts'
import { forwardingRoutes } from './fulfilment/forwardings.routes.ts'
import { planRoutes } from './fulfilment/plan.routes.ts'
import { restoreRoutes } from './fulfilment/restores.routes.ts'
import { manualApprovalRoutes, manualRoutes } from './handed/manual.routes.ts'
import { pullRoutes } from './handed/pull.routes.ts'
import { handlersOf } from './handlers.ts'
import { holdRoutes } from './holds/holds.routes.ts'
import { buildServer } from './http/server.ts'
import { attachmentRoutes } from './messages/attachments.routes.ts'
import { messageRoutes } from './messages/messages.routes.ts'
import { evidenceRoutes } from './operations/evidence.routes.ts'
import { noteGivenUp } from './operations/note-given-up.ts'
import { reportRoutes } from './operations/reports.routes.ts'
import { testClockRoutes } from './operations/test-clock.routes.ts'
import { type Jobs, LENGTHY, SCHEDULE } from './pipeline.ts'
import { systemClock } from './platform/clock.ts'
import { type Dispatcher, startDispatcher } from './platform/dispatcher.ts'
import { createLog, type Log } from './platform/log.ts'
import type { Handlers } from './platform/queue.ts'
import { policyRoutes } from './policy/policy.routes.ts'
import { receiverRoutes } from './policy/receivers.routes.ts'
import { repudiationRoutes } from './repudiation/repudiations.routes.ts'
import { deadlineRoutes } from './requests/deadlines.routes.ts'
import { findRoutes } from './requests/find-requests.routes.ts'
import { historyRoutes } from './requests/history.routes.ts'
import { watchStaff } from './requests/open-case.ts'
import { requestRoutes } from './requests/requests.routes.ts'
import { subjectRoutes } from './requests/subjects.routes.ts'
import { breakGlassRoutes } from './staff/break-glass.routes.ts'
import { vipRoutes } from './staff/vips.routes.ts'
import { adapterHealthRoutes } from './tasks/adapter-health.routes.ts'
import { callbackRoutes } from './tasks/callbacks.routes.ts'
import { recipientRoutes } from './tasks/recipients.routes.ts'
import { taskOutcomeRoutes } from './tasks/task-outcome.routes.ts'
import { taskWork } from './tasks/task-work.ts'
import { taskRoutes } from './tasks/tasks.routes.ts'
import { mandateRoutes } from './verification/mandates.routes.ts'
import { supportCheckRoutes } from './verification/support-checks.routes.ts'
import { verificationRoutes } from './verification/verification.routes.ts'
import { deliveryRoutes } from './webhooks/deliveries.routes.ts'
import { webhookWork } from './webhooks/webhook-work.ts'
import { webhookRoutes } from './webhooks/webhooks.routes.ts'

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

/** Everything that can be called, in the order in which it is described. */
const ROUTES = [
  requestRoutes,
  subjectRoutes,
  holdRoutes,
  historyRoutes,
  findRoutes,
  decisionRoutes,
  messageRoutes,
  attachmentRoutes,
  tellOtherwiseRoutes,
  clockLedgerRoutes,
  verificationRoutes,
  supportCheckRoutes,
  workRoutes,
  mandateRoutes,
  revokeMandateRoutes,
  taskRoutes,
  forwardingRoutes,
  taskOutcomeRoutes,
  planRoutes,
  recipientRoutes,
  restoreRoutes,
  letterRoutes,
  breakGlassRoutes,
  openedPackageRoutes,
  vipRoutes,
  packageRoutes,
  openPackageRoutes,
  downloadRoutes,
  optOutRoutes,
  repudiationRoutes,
  adapterRoutes,
  admissionRoutes,
  suspensionRoutes,
  pullRoutes,
  manualRoutes,
  manualApprovalRoutes,
  adapterHealthRoutes,
  callbackRoutes,
  webhookRoutes,
  deliveryRoutes,
  deadlineRoutes,
  auditRoutes,
  policyRoutes,
  receiverRoutes,
  reportRoutes,
  evidenceRoutes,
]

/** Joins everything by hand, top to bottom. Nothing listens and nobody works until told to. */
export async function createApp(
  config: Config,
  {
    clock = systemClock,
    log = createLog({ level: config.logLevel }),
    random = Math.random,
    callLimits = CALL_LIMITS,
  }: Partial<Given> = {},
): Promise<App> {
  const deps = await openDeps(config, { clock, log, random, callLimits })
  let dispatcher: Dispatcher | undefined
  let messenger: Dispatcher | undefined
  let closed: Promise<void> | undefined
  const handlers = handlersOf(deps, () => dispatcher?.wake())
  const server = await buildServer({
    ...deps,
    quota: { perCaller: config.perCallerQuota, perAddress: config.perAddressQuota, everyUse: config.everyUseQuota },
    trustProxy: config.trustProxy,
    version: VERSION,
    openCase: watchStaff(deps),
    plugins: [...ROUTES.map(routes => routes(deps)), ...timeMachine(deps, handlers)],
  })
  return {
    server,
    log,
    handlers,
    async startWorking() {
      dispatcher = startDispatcher(taskWork(deps))
      deps.queue.doHere('dispatch-tasks', dispatcher.wake)
      messenger = startDispatcher(webhookWork(deps))
      await deps.queue.work(handlers, {
        schedule: SCHEDULE,
        lengthy: LENGTHY,
        hands: config.jobConcurrency,
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
      closed ??= closeAll(deps, server, [dispatcher, messenger])
      return closed
    },
  }
}

/** Routes that exist in test mode alone. */
function timeMachine({ testClock, ...deps }: Deps, handlers: Handlers<Jobs>) {
  if (!testClock) return []
  deps.log.info('test mode: the clock can be moved, so nothing here may be about real people')
  const catchUp = async () => {
    for (const name of Object.keys(SCHEDULE) as (keyof typeof SCHEDULE)[]) await handlers[name]({})
  }
  return [testClockRoutes({ ...deps, testClock, catchUp })]
}

/** Outside in: no new calls, no new tasks and messages, no new jobs; then the doors to the outside, and the database last. */
async function closeAll(deps: Deps, server: Server, dispatchers: (Dispatcher | undefined)[]): Promise<void> {
  await closeServer(server)
  await Promise.all(dispatchers.map(one => one?.stop()))
  await deps.queue.stop()
  await deps.testClock?.close()
  deps.mailer.close()
  await deps.outbound.close()
  await deps.database.close()
}

/** What is being answered gets a moment more; a download that takes longer is taken up again elsewhere, where it broke off. */
async function closeServer(server: Server): Promise<void> {
  const cut = setTimeout(() => server.server.closeAllConnections(), 5000)
  await server.close().finally(() => clearTimeout(cut))
}
