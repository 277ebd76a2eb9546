import { type Catalogue, readCatalogue } from './catalogue.ts'
import type { Description } from './description.ts'
import { erasureSteps } from './erasure-steps.ts'
import { type Finding, isError } from './finding.ts'
import { lintActions } from './lint-actions.ts'
import { lintColumns } from './lint-columns.ts'
import { lintCoverage } from './lint-coverage.ts'
import { lintReferences } from './lint-references.ts'
import { lintRights, type Roles } from './lint-rights.ts'
import { lintStatements } from './lint-statements.ts'
import { findDescribed, type Model } from './model.ts'
import { inTransaction, type Session } from './session.ts'

export interface Linted {
  /** Missing where the database lacks what is described. */
  model?: Model
  findings: Finding[]
}

/** Holds a description against a living database: whether all it names is there, all that points at people is in it, and all it wants can be done. */
export const lint = (session: Session, description: Description, roles: Roles): Promise<Linted> =>
  inTransaction(session, 'reading', async () => {
    const named = Object.values(roles).flatMap(role => role ?? [])
    const catalogue = await readCatalogue(session, { roles: named })
    const { model, findings } = findDescribed(description, catalogue)
    if (!model) return { findings }
    const missing = lintColumns(model)
    if (missing.some(isError)) return { findings: missing }
    const judged = judge(model, catalogue, roles)
    return { model, findings: [...judged, ...(await lintStatements(session, model))] }
  })

const judge = (model: Model, catalogue: Catalogue, roles: Roles): Finding[] => [
  ...lintColumns(model),
  ...lintCoverage(model, catalogue),
  ...lintActions(model),
  ...lintReferences(model, catalogue),
  ...erasureSteps(model).findings,
  ...lintRights(model, roles),
]
