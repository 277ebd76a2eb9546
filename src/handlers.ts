import { handOver } from './delivery/hand-over.ts'
import { sendLetter } from './delivery/send-letter.ts'
import { transmit } from './delivery/transmit.ts'
import { sendDigest } from './delivery/write-digest.ts'
import { acknowledge, writeClosingLetter } from './delivery/write-letters.ts'
import type { Deps } from './deps.ts'
import { announce } from './fulfilment/announce.ts'
import { askWho } from './fulfilment/ask-who.ts'
import { chaseForwardings } from './fulfilment/chase-forwardings.ts'
import { concludeFulfilment } from './fulfilment/conclude-fulfilment.ts'
import { concludeRound } from './fulfilment/conclude-round.ts'
import { lookAgain } from './fulfilment/look-again.ts'
import { startFulfilment } from './fulfilment/start-fulfilment.ts'
import { tellOwners } from './handed/tell-owners.ts'
import { scanAttachment } from './messages/scan-attachment.ts'
import { watchAdapters } from './operations/watch-adapters.ts'
import { buildPackage } from './packaging/build-package.ts'
import type { Jobs } from './pipeline.ts'
import type { Handlers } from './platform/queue.ts'
import { assess } from './requests/assess.ts'
import { endCoolingOff } from './requests/end-cooling-off.ts'
import { liftReport } from './requests/lift-report.ts'
import { reserveMissed } from './requests/reserve-missed.ts'
import { watchDeadlines } from './requests/watch-deadlines.ts'
import { closeCase } from './retention/close-case.ts'
import { forgetExpired } from './retention/forget-expired.ts'
import { cancelPromises } from './tasks/cancel-promises.ts'
import { sendCodeAgain } from './verification/send-code-again.ts'
import { weighIdentity } from './verification/weigh-identity.ts'

/** Who does each job. */
export const handlersOf = (deps: Deps, wake: () => void): Handlers<Jobs> => ({
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
  transmit: ({ requestId }) => transmit(deps, requestId),
  'look-again': () => lookAgain(deps),
  'conclude-round': ({ requestId }) => concludeRound(deps, requestId),
  'chase-forwardings': () => chaseForwardings(deps),
  'close-case': async ({ requestId }) => {
    await writeClosingLetter(deps, requestId)
    await closeCase(deps, requestId)
    await liftReport(deps, requestId)
  },
  'cancel-promises': ({ requestId }) => cancelPromises(deps, requestId),
  'scan-attachment': ({ attachmentId }) => scanAttachment(deps, attachmentId),
  'send-letter': ({ letterId }) => sendLetter(deps, letterId),
  'send-digest': () => sendDigest(deps),
  'watch-deadlines': () => watchDeadlines(deps),
  'reserve-missed': () => reserveMissed(deps),
  'watch-adapters': () => watchAdapters(deps),
  'tell-owners': () => tellOwners(deps),
  'forget-expired': () => forgetExpired(deps),
})
