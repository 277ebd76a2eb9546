/** Device names that Windows keeps for itself in every folder and with every extension. */
const RESERVED = ['con', 'prn', 'aux', 'nul', ...[1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap(n => [`com${n}`, `lpt${n}`])]

const LONGEST = 60

/**
 * A file name for each of these names, in their order: only `a-z`, `0-9` and `-`, never empty, never two the same, never more than
 * 70 characters. Nothing of a name from outside gets into a path but such letters.
 */
export function slugs(names: readonly string[]): Map<string, string> {
  const taken = new Set(RESERVED)
  const given = new Map<string, string>()
  for (const name of names) {
    if (given.has(name)) continue
    const plain =
      name
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .slice(0, LONGEST)
        .replace(/^-|-$/g, '') || 'unnamed'
    let slug = plain
    for (let n = 2; taken.has(slug); n++) slug = `${plain}-${n}`
    taken.add(slug)
    given.set(name, slug)
  }
  return given
}
