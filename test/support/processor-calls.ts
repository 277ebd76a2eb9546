import { X509Certificate } from 'node:crypto'
import { text } from 'node:stream/consumers'
import type { Answer } from '../../src/adapters/answer.ts'
import type { Contact } from '../../src/adapters/fetch-manifest.ts'
import type { Connector } from '../../src/adapters/kinds.ts'
import type { TaskCall } from '../../src/adapters/protocol.ts'
import { opendsrConnector } from '../../src/opendsr/opendsr-connector.ts'
import type { Clock } from '../../src/platform/clock.ts'
import { createOutbound } from '../../src/platform/outbound.ts'
import type { Processor } from './processor.ts'

export const DATASET = {
  name: 'profile',
  title: 'Profile at the processor',
  category: 'usage',
  origin: 'observed',
  purposes: ['provide_service'],
  legalBases: ['contract'],
  retention: 'usage_data',
}

export interface Taken {
  dataset: string
  name: string
  mediaType: string
  content: string
}

/** Asks one processor as the service would. */
export interface Asking {
  connector: Connector
  contact: Contact
  ask(task: TaskCall, location?: string): Promise<Answer>
  /** Files that the sink was given. */
  taken: Taken[]
  close(): Promise<void>
}

export const CALLBACK_URL = 'https://dsar.example/v1/callbacks/019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d4'
const NOW = new Date('2026-11-20T12:00:00Z')

export function asking(
  { host, baseUrl, domain, authority }: Processor,
  dialect: string,
  {
    overrides = {},
    credentials = { token: 't-1' },
    clock = { now: () => NOW },
    allowedHosts = [],
  }: {
    overrides?: Record<string, unknown>
    credentials?: Record<string, string>
    clock?: Clock
    /** Besides its own. */
    allowedHosts?: string[]
  } = {},
): Asking {
  const outbound = createOutbound({ allowedHosts: [host, ...allowedHosts] })
  const connector = opendsrConnector({ outbound, clock, authorities: [new X509Certificate(authority.pem)] })
  const taken: Taken[] = []
  const contact = {
    baseUrl,
    secrets: [],
    credentials,
    settings: { name: 'vendor', dialect, datasets: [DATASET], overrides: { processorDomain: domain, ...overrides } },
  }
  return {
    connector,
    contact,
    taken,
    ask: (task, location) =>
      connector.ask({
        ...contact,
        task,
        ...(location && { location }),
        sink: {
          record: () => Promise.reject(new Error('A processor hands over no records.')),
          async file(dataset, { name, mediaType }, content) {
            taken.push({ dataset, name, mediaType, content: await text(content) })
          },
        },
      }),
    close: () => outbound.close(),
  }
}

let tasks = 0

export function taskFor(action: TaskCall['action'], identities: TaskCall['subject']['identities'] = ANA): TaskCall {
  tasks += 1
  return {
    taskId: `019af0c2-7d1e-7c3a-9b54-${String(tasks).padStart(12, '0')}`,
    requestId: '019af0c2-7d1e-7c3a-9b54-2f60c1a7e8d4',
    action,
    attempt: 1,
    dryRun: false,
    subject: { identities },
    scope: { datasets: ['profile'] },
    parameters: {},
    dueAt: '2026-12-20T00:00:00Z',
    regulation: 'gdpr',
    callbackUrl: CALLBACK_URL,
  }
}

export const ANA: TaskCall['subject']['identities'] = [
  { type: 'user_id', value: 'u-ana' },
  { type: 'email', value: 'Ana@example.org' },
]
