import type pg from 'pg'
import { type Adapter, createAdapter, type Identity } from '../../adapter-kit/adapter.ts'
import { type Known, valuesHeld } from './known.ts'
import type { Service } from './service.ts'
import { filesFromTable, fromTable, openFileIn } from './table.ts'

const TABLES = ['tickets', 'ticket_messages', 'attachments', 'csat'].map(table => `lms_support.${table}`)

/** Knows people by the addresses they wrote from, hence needs all of a person's, former ones too. */
export function support({ db, secret, onError }: Service): Adapter {
  const talk = {
    key: 'requester_email',
    category: 'support',
    origin: 'provided',
    purposes: ['support'],
    legalBases: ['contract'],
    retention: 'support_communications',
    recipients: ['Zendesk'],
  } as const
  return createAdapter<Known>({
    name: 'support',
    secrets: secret,
    identityTypes: [{ type: 'email' }],
    limits: { concurrency: 4 },
    ...(onError && { onError }),
    find: identities => findByEmail(db, identities),
    openFile: openFileIn(db, 'lms_support.attachments'),
    datasets: {
      tickets: fromTable(
        db,
        { ...talk, table: 'lms_support.tickets', title: 'Support tickets' },
        { reference: 'string', subject: 'string', status: 'string', opened_at: 'datetime', closed_at: 'datetime' },
      ),
      ticket_messages: fromTable(
        db,
        { ...talk, table: 'lms_support.ticket_messages', title: 'Messages in support tickets' },
        {
          ticket_reference: 'string',
          written_by: { type: 'string', title: 'Your name, where you wrote it' },
          answered_by: { type: 'string', title: 'Who answered', thirdParty: true },
          from_support: 'boolean',
          body: { type: 'string', freeText: true },
          sent_at: 'datetime',
        },
      ),
      attachments: filesFromTable(db, { ...talk, table: 'lms_support.attachments', title: 'Files sent to support' }),
      csat: fromTable(
        db,
        {
          ...talk,
          table: 'lms_support.csat',
          title: 'Ratings of our support',
          category: 'feedback',
          legalBases: ['consent'],
          purposes: ['provide_service'],
          retention: 'account_data',
        },
        { ticket_reference: 'string', score: 'number', comment: 'string', answered_at: 'datetime' },
      ),
    },
  })
}

async function findByEmail(db: pg.Pool, identities: readonly Identity[]): Promise<Known | undefined> {
  const asked = identities.filter(({ type }) => type === 'email')
  const addresses = [...new Set(asked.map(({ value }) => value.toLowerCase()))]
  const keys = await valuesHeld(db, TABLES, 'requester_email', addresses)
  const matched = asked.filter(({ value }) => keys.includes(value.toLowerCase()))
  return keys.length === 0 ? undefined : { matched, keys }
}
