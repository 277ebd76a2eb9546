import type { Rights } from './catalogue.ts'
import { actionOf } from './condition.ts'
import type { Finding } from './finding.ts'
import type { Entry, Model } from './model.ts'
import { pointer } from './read-description.ts'

/** The roles by whose names the database is used; whose rights are not looked into is left out. */
export interface Roles {
  reader?: string
  eraser?: string
}

const NONE: Rights = { select: false, insert: false, update: false, delete: false }

/** Whoever reads cannot write, and whoever erases can do what is described. Rows that row security hides would be left out unseen. */
export const lintRights = (model: Model, { reader, eraser }: Roles): Finding[] =>
  [...model.entries.values()].flatMap(entry => {
    const found: Finding[] = []
    const { rights, guarded } = entry.table
    const tell = (kind: Finding['kind'], detail: string) => found.push({ kind, pointer: pointer('tables', entry.name), detail })
    if (reader !== undefined) {
      const { select, insert, update, delete: deletes } = rights[reader] ?? NONE
      if (!select) tell('error', 'the reader may not read it')
      if (insert || update || deletes) tell('error', 'the reader may change it: give it no right but SELECT')
    }
    if (eraser !== undefined) {
      const has = rights[eraser] ?? NONE
      for (const right of neededFor(model, entry))
        if (!has[right]) tell('error', `the eraser has no right to ${right.toUpperCase()}`)
    }
    if (guarded) tell('warning', 'has row security: the roles have to be exempt from it (BYPASSRLS), or every task fails')
    return found
  })

function neededFor({ description }: Model, { described, edges, isSubject }: Entry): (keyof Rights)[] {
  const { action } = actionOf(described.erase)
  const updates =
    action !== 'delete' ||
    described.restriction !== undefined ||
    (isSubject && description.subject.restriction !== undefined) ||
    edges.some(({ detached }) => detached) ||
    Object.values(described.columns).some(({ rectify }) => rectify)
  return ['select', ...(action === 'delete' ? (['delete'] as const) : []), ...(updates ? (['update'] as const) : [])]
}
