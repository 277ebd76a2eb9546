import type pg from 'pg'
import { type Adapter, createAdapter } from '../../adapter-kit/adapter.ts'
import { keptByLaw } from './kept-by-law.ts'
import { findByUserId, type Known } from './known.ts'
import type { Service } from './service.ts'
import { fromTable } from './table.ts'

const TABLES = ['invoices', 'payments', 'refunds', 'payment_methods'].map(table => `lms_billing.${table}`)

const BILLING = {
  key: 'user_id',
  category: 'billing',
  origin: 'provided',
  purposes: ['billing'],
  legalBases: ['contract'],
  recipients: ['Stripe'],
} as const
const FINANCIAL = {
  ...BILLING,
  purposes: ['billing', 'legal_compliance'],
  legalBases: ['contract', 'legal_obligation'],
  retention: 'financial_records',
} as const

export function billing({ db, secret, onError }: Service): Adapter {
  return createAdapter<Known>({
    name: 'billing',
    secrets: secret,
    identityTypes: [{ type: 'user_id' }],
    limits: { concurrency: 8 },
    ...(onError && { onError }),
    find: findByUserId(db, TABLES),
    datasets: {
      ...records(db),
      payment_methods: fromTable(
        db,
        { ...BILLING, table: 'lms_billing.payment_methods', title: 'Payment methods', retention: 'account_data' },
        { card_brand: 'string', card_last4: 'string', expires_on: 'date', is_default: 'boolean' },
      ),
    },
  })
}

/** What the tax office may ask for. */
const records = (db: pg.Pool) => ({
  invoices: {
    ...fromTable(
      db,
      { ...FINANCIAL, table: 'lms_billing.invoices', title: 'Invoices' },
      {
        number: 'string',
        issued_on: 'date',
        amount: 'number',
        currency: 'string',
        billed_to: 'string',
        vat_id: 'string',
        lines: 'array',
        paid: 'boolean',
      },
    ),
    ...keptByLaw(db, { table: 'lms_billing.invoices', key: 'user_id' }, { day: 'issued_on' }),
  },
  payments: {
    ...fromTable(
      db,
      { ...FINANCIAL, table: 'lms_billing.payments', title: 'Payments' },
      {
        invoice_number: 'string',
        amount: 'number',
        currency: 'string',
        gateway: 'string',
        card_brand: 'string',
        card_last4: 'string',
        paid_at: 'datetime',
      },
    ),
    ...keptByLaw(
      db,
      { table: 'lms_billing.payments', key: 'user_id' },
      { day: 'paid_at::date', without: ['card_brand', 'card_last4'] },
    ),
  },
  refunds: {
    ...fromTable(
      db,
      { ...FINANCIAL, table: 'lms_billing.refunds', title: 'Refunds' },
      { invoice_number: 'string', amount: 'number', reason: 'string', refunded_at: 'datetime' },
    ),
    ...keptByLaw(db, { table: 'lms_billing.refunds', key: 'user_id' }, { day: 'refunded_at::date' }),
  },
})
