import { type Adapter, createAdapter } from '../../adapter-kit/adapter.ts'
import type { Service } from './service.ts'
import { findByUserId, fromTable, type Known } from './table.ts'

export function billing({ db, secret, onError }: Service): Adapter {
  const financial = {
    key: 'user_id',
    category: 'billing',
    origin: 'provided',
    purposes: ['billing', 'legal_compliance'],
    legalBases: ['contract', 'legal_obligation'],
    retention: 'financial_records',
    recipients: ['Stripe'],
  } as const
  return createAdapter<Known>({
    name: 'billing',
    secrets: secret,
    identityTypes: [{ type: 'user_id' }],
    limits: { concurrency: 8 },
    ...(onError && { onError }),
    find: findByUserId(db, ['lms_billing.invoices', 'lms_billing.payments', 'lms_billing.refunds']),
    datasets: {
      invoices: fromTable(
        db,
        { ...financial, table: 'lms_billing.invoices', title: 'Invoices' },
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
      payments: fromTable(
        db,
        { ...financial, table: 'lms_billing.payments', title: 'Payments' },
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
      refunds: fromTable(
        db,
        { ...financial, table: 'lms_billing.refunds', title: 'Refunds' },
        { invoice_number: 'string', amount: 'number', reason: 'string', refunded_at: 'datetime' },
      ),
    },
  })
}
