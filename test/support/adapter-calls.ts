import { buffer } from 'node:stream/consumers'
import type { Answer } from '../../src/adapters/answer.ts'
import { type AdapterCall, callAdapter } from '../../src/adapters/call-adapter.ts'
import { CALL_LIMITS, type CallLimits } from '../../src/adapters/call-limits.ts'
import type { CollectSink } from '../../src/adapters/collect-stream.ts'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { createOutbound } from '../../src/platform/outbound.ts'

export const SECRET = `whsec_${Buffer.from('s'.repeat(32)).toString('base64')}`
export const ASKED = { type: 'user_id', value: 'u-1029' }

export const LIMITS: CallLimits = { ...CALL_LIMITS, headersMs: 2000, idleMs: 2000, totalMs: 4000 }

/** A collect of invoices and attachments for one person, unless told otherwise. */
export const taskFor = (more: Partial<TaskCall> = {}): TaskCall => ({
  taskId: '01981f6e-2a50-7c3a-9d57-0d6f2b1c4e88',
  requestId: '01981f6e-0000-7c3a-9d57-0d6f2b1c4e88',
  action: 'collect',
  attempt: 1,
  dryRun: false,
  subject: { identities: [ASKED] },
  scope: { datasets: ['invoices', 'attachments'] },
  parameters: {},
  dueAt: '2036-12-18T23:59:59Z',
  ...more,
})

export interface Taken {
  records: [dataset: string, json: string][]
  values: unknown[]
  files: { dataset: string; name: string; mediaType: string; size?: number; content: Buffer }[]
}

/** A sink that keeps what it is given. */
export function takingSink(): { taken: Taken; sink: CollectSink } {
  const taken: Taken = { records: [], values: [], files: [] }
  return {
    taken,
    sink: {
      record(dataset, json, value) {
        taken.records.push([dataset, json.toString()])
        taken.values.push(value)
      },
      async file(dataset, meta, content) {
        taken.files.push({ dataset, ...meta, content: await buffer(content) })
      },
    },
  }
}

/** Calls the adapter at this address once, with nothing left open. */
export async function callOnce(url: string, more: Partial<AdapterCall> = {}): Promise<{ answer: Answer; taken: Taken }> {
  const outbound = createOutbound({ allowedHosts: [new URL(url).host] })
  const { taken, sink } = takingSink()
  try {
    const deps = { outbound, clock: { now: () => new Date() } }
    const answer = await callAdapter(deps, { baseUrl: url, secrets: [SECRET], task: taskFor(), sink, limits: LIMITS, ...more })
    return { answer, taken }
  } finally {
    await outbound.close()
  }
}
