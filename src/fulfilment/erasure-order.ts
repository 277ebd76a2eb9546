import type { Adapter } from '../adapters/adapters.store.ts'
import type { NewTask } from '../tasks/tasks.store.ts'

type Known = Pick<Adapter, 'name' | 'manifest'>

export interface ErasureOrder {
  /** By adapter: those that have to have erased before it does. */
  before: ReadonlyMap<string, ReadonlySet<string>>
  /** Wishes that contradict the others, as `accounts after billing`: for people to see. */
  ignored: string[]
}

/**
 * Whoever knows who is who comes last: erased first, it would leave the others with nobody to ask about. For the rest each says
 * after whom it wants to erase (`eraseAfter`). An order in which two wait for each other is nobody's order: the wish that closes
 * such a circle is left out, adapters and wishes being taken in the order in which they stand.
 */
export function erasureOrder(adapters: readonly Known[]): ErasureOrder {
  const names = new Set(adapters.map(({ name }) => name))
  const before = new Map<string, Set<string>>()
  const ignored: string[] = []
  const add = (name: string, earlier: string): void => {
    if (!names.has(earlier)) return
    if (name === earlier || reaches(before, earlier, name)) ignored.push(`${name} after ${earlier}`)
    else before.set(name, (before.get(name) ?? new Set()).add(earlier))
  }
  const isAuthority = ({ manifest }: Known) => manifest.actions.includes('resolve')
  for (const authority of adapters.filter(isAuthority))
    for (const other of adapters.filter(one => !isAuthority(one))) add(authority.name, other.name)
  for (const { name, manifest } of adapters) for (const earlier of manifest.eraseAfter) add(name, earlier)
  return { before, ignored }
}

/** Whether `from` waits for `to`, however far behind. */
function reaches(before: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  const seen = new Set<string>()
  const next = [from]
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    if (name === to) return true
    if (seen.has(name)) continue
    seen.add(name)
    next.push(...(before.get(name) ?? []))
  }
  return false
}

/** Tasks of which each erasure waits for those that have to come before it. */
export function inErasureOrder(tasks: readonly NewTask[], { before }: ErasureOrder): NewTask[] {
  const erasing = new Map(tasks.filter(({ action }) => action === 'erase').map(({ adapter, id }) => [adapter, id]))
  return tasks.map(task => {
    if (task.action !== 'erase') return task
    const earlier = [...(before.get(task.adapter) ?? [])].flatMap(name => erasing.get(name) ?? [])
    return { ...task, after: [...(task.after ?? []), ...earlier] }
  })
}
