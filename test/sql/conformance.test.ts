import { expect, test } from '@jest/globals'
import { checkAdapter } from '../../src/conformance/check-adapter.ts'
import { createOutbound } from '../../src/platform/outbound.ts'
import { sqlConnector } from '../../src/sql/sql-connector.ts'
import { openDescribed } from '../support/described-database.ts'
import { CAMPUS, CAMPUS_ROWS, CAMPUS_SQL } from './campus.ts'

test('a described database keeps to every rule that does not depend on how an adapter is called', async () => {
  const campus = await openDescribed(CAMPUS, CAMPUS_SQL + CAMPUS_ROWS)
  await campus.rows('DELETE FROM mdl_grade_grades WHERE id = 3') // one person's grade by the other, who is to be forgotten in it
  const outbound = createOutbound({ allowedHosts: [] })
  try {
    const report = await checkAdapter(
      { outbound, clock: campus.deps.clock, connectors: { sql: sqlConnector(campus.deps) } },
      { ...campus.contact, kind: 'sql' },
      {
        subjects: { known: [{ type: 'user_id', value: '5' }], other: [{ type: 'user_id', value: '6' }] },
        destructive: true,
      },
    )
    expect(report.checks.filter(({ outcome }) => outcome === 'failed')).toEqual([])
    expect(report.checks.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThan(8)
  } finally {
    await outbound.close()
    await campus.close()
  }
})
