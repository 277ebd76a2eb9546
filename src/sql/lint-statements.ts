import pg from 'pg'
import { amountOf, kept, standing } from './condition.ts'
import type { Finding } from './finding.ts'
import type { Model } from './model.ts'
import { type Known, reachFor } from './reach.ts'
import { pointer } from './read-description.ts'
import type { Session } from './session.ts'
import { bindings, qualified } from './sql-text.ts'

const NOBODY: Known = { rows: [], values: new Map() }

/** Has the database plan what counts each table: it knows best which columns cannot be compared, and what it lets nobody read. */
export async function lintStatements(session: Session, model: Model): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const entry of model.entries.values()) {
    const bound = bindings()
    const where = standing(reachFor(model, NOBODY, bound), entry, 't', bound)
    const keeps = kept(model, entry, 't', '2000-01-01', bound)
    await session.query('SAVEPOINT planned')
    try {
      const text = `EXPLAIN SELECT ${amountOf(entry, 't')} FROM ${qualified(entry.table)} t WHERE ${where} AND NOT ${keeps}`
      await session.query(text, bound.values)
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error
      findings.push({
        kind: 'error',
        pointer: pointer('tables', entry.name),
        detail: `cannot be read as described (${error.code}): ${error.message}`,
      })
    }
    await session.query('ROLLBACK TO SAVEPOINT planned')
  }
  return findings
}
